import {execFile} from 'node:child_process';
import {promisify} from 'node:util';
import test from 'ava';
import {checkNixSyntax} from './nix-syntax.ts';
import {positionOf} from './text-positions.ts';

const errorOf = (source: string): string => {
  const problem = checkNixSyntax(source);
  if (!problem) return '';
  const {line, column} = positionOf(source, problem.offset);
  return `${line}:${column}: ${problem.message}`;
};

const good = [
  '{config, lib, pkgs, ...}: {services.nginx.enable = true;}',
  '{\n  a,\n  b ? 1,\n}:\na',
  '{}: 1',
  '{...}: 1',
  '{a, ...}@all: all',
  'all@{a}: a',
  'x: y: x',
  '{ null = null; or = 1; "a b" = 2; ${"c"}.d = 3; a.b."c".${"d"} = 4; }',
  '{ inherit ({a = 1;}) a; inherit; }',
  'let x = 1; in with {y = 2;}; assert x == 1; if x < y then x else y',
  'let { body = 1; }',
  "''${toString 1} and ''${escaped} ''' '' + \"$${literal} \\${no} ${toString 1} $\"",
  "''a '' + ''\n  $''${x}\n''",
  './a/b/${"c"}/d.nix',
  '[ ./. ../x ~/y <nixpkgs/nixos> https://example.org/a?b=c 1.5e3 .5 1/2 ]',
  '[ (x: x) (-1) {} rec {a = 1;} {a = 1;}.a ({}.b or 2) ]',
  '!true || -1 + 2 * 3 / 4 == 5 -> [1] ++ [2] ++ [3] != {} // {a = 1;} // {b = 2;}',
  '1 + !true && {a = 1;} ? a.b && {} ? "x"',
  '# comment\n/* and **/ 1 /* one */ 1',
  'x:x',
  "a: a' : let a-b = 1; in a-b",
  '{}.a or {}.b or 3',
];
for (const source of good)
  test(`takes ${JSON.stringify(source)}`, t => {
    t.is(errorOf(source), '');
  });

const refused = test.macro({
  title: (_title, source: string) => `refuses ${JSON.stringify(source)}`,
  exec(t, source: string, expected: string) {
    t.is(errorOf(source), expected);
  },
});
// The position is Nix's own, but where something is not closed: Nix names the end of the text.
test(
  refused,
  '{ a = 1 b = 2; }',
  '1:11: Unexpected "=": expected ";" at the end of the value of "a"',
);
test(
  refused,
  '{\n  a = 1;\n  b = 2\n}',
  '4:1: Unexpected "}": expected ";" at the end of the value of "b"',
);
test(refused, '{ a = 1; }}', '1:11: Unexpected "}": expected an operator, or the end of the text');
test(refused, '{ a = [ 1 2; }', '1:12: Unexpected ";": expected a value or "]"');
test(
  refused,
  '{config, lib ...}: {}',
  '1:14: Unexpected "...": expected "," or "}" after an argument',
);
test(refused, '{a, ..., b}: 1', '1:8: Unexpected ",": expected "," or "}" after an argument');
test(refused, '{ a == 1; }', '1:5: Unexpected "==": expected "=" or "." after "a"');
test(
  refused,
  '{ a = if b then c; }',
  '1:18: Unexpected ";": expected "else" of the "if": it is never left out',
);
test(refused, 'let a = 1; { }', '1:12: Unexpected "{": expected a name, or "in"');
test(refused, '', '1:1: Unexpected end of the text: expected a value');
test(
  refused,
  '{ a = {\n b = 1;\n',
  '3:1: Unexpected end of the text: expected "}" for the "{" of line 1',
);
test(refused, '{ a = "x;\n}', '1:7: This string is not closed: " is missing');
test(refused, "{ a = ''x;\n}", "1:7: This string is not closed: '' is missing");
test(refused, '{ a = "${b"; }', '1:11: This string is not closed: " is missing');
test(refused, '1 /* open', '1:3: This comment is not closed: "*/" is missing');
test(refused, './a/ 1', '1:4: A path cannot end with "/"');
test(
  refused,
  '1 == 2 == 3',
  '1:8: Unexpected "==": expected parentheses: "==" and "==" do not follow each other',
);
test(refused, '1 |> f', '1:3: Unexpected character "|"');
test(refused, '{ a = “x”; }', '1:7: Unexpected character "“"');
test(refused, '{ 😀 }', '1:3: Unexpected character "😀"');
test(refused, '"😀" )', '1:6: Unexpected ")": expected an operator, or the end of the text');
test(
  refused,
  `{ a.${'x'.repeat(100)} }`,
  `1:106: Unexpected "}": expected "=" or "." after "a.${'x'.repeat(38)}"`,
);
test(refused, '{ inherit (x) 1; }', '1:15: Unexpected "1": expected a name or ";" after "inherit"');

/** What the installed Nix says: undefined when its complaint is about something else than syntax (a variable that is not defined). */
async function nixRefuses(source: string): Promise<boolean | undefined> {
  const running = promisify(execFile)('nix-instantiate', ['--parse', '-']);
  running.child.stdin?.end(source);
  try {
    await running;
    return false;
  } catch (error) {
    const isSyntax = /syntax error|trailing slash/.test(String(error));
    return isSyntax ? true : undefined;
  }
}

test('agrees with Nix about every one of these, and about what is left when something is cut out', async t => {
  const cut = good.flatMap(source =>
    [0.2, 0.4, 0.6, 0.8].map(part => {
      const at = Math.floor(source.length * part);
      return source.slice(0, at) + source.slice(at + 1);
    }),
  );
  const sources = [...good, ...cut];
  for (let next = 0; next < sources.length; next += 4)
    await Promise.all(
      sources.slice(next, next + 4).map(async source => {
        const refuses = await nixRefuses(source);
        if (refuses !== undefined) t.is(errorOf(source) !== '', refuses, source);
        else t.is(errorOf(source), '', source);
      }),
    );
});

test('neither depth nor length brings it down, and it takes time in proportion', t => {
  const count = 100_000;
  for (const [part, problem] of [
    ['(', /Nested more than 400 deep/],
    ['{ a = ', /Nested more than 400 deep/],
    ['"${', /Nested more than 400 deep/],
    ['a++', /expected a value/],
    ['a+', /expected a value/],
    ['/*', /Unexpected "\*"|not closed/],
    ["''", /not closed/],
    ['<a', /Unexpected/],
    ['1/', /cannot end/],
  ] as const) {
    const started = performance.now();
    t.regex(checkNixSyntax(part.repeat(count))?.message ?? '', problem, part);
    const tookMs = performance.now() - started;
    t.true(tookMs < 5000, `${part} took ${tookMs} ms`);
  }
  t.is(checkNixSyntax(`${'a: if a then b else '.repeat(count / 10)}1`), undefined);
});
