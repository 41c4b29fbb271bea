import test from 'ava';
import type {TemplateParameter} from '../store/templates.ts';
import {
  fillParameters,
  problemsOfDeclarations,
  problemsOfParameters,
} from './template-parameters.ts';

const base: TemplateParameter = {
  name: 'p',
  type: 'string',
  description: '',
  defaultValue: null,
  allowedValues: [],
  pattern: '',
  minimum: null,
  maximum: null,
};
const key = '-----BEGIN OPENSSH PRIVATE KEY-----';

const value = test.macro({
  title: (_title, parameter: Partial<TemplateParameter>, given: unknown, expected: string) =>
    `${JSON.stringify(parameter)} given ${JSON.stringify(given)?.slice(0, 60)}: ${expected || 'fits'}`,
  exec(t, parameter: Partial<TemplateParameter>, given: unknown, expected: string) {
    const declared = [{...base, ...parameter}];
    t.is(problemsOfParameters(declared, {p: given}).join('; '), expected);
  },
});
const integer = {type: 'integer', minimum: 1, maximum: 65_535} as const;
const list = {type: 'string_list', pattern: '[a-z]+'} as const;
test(value, {}, 'x', '');
test(value, {}, '', '');
test(value, {}, 1, 'parameter "p" must be a text, not 1');
test(value, {}, null, 'parameter "p" is missing and has no default: give it a text');
test(value, {defaultValue: 'x'}, null, '');
test(
  value,
  {},
  'x'.repeat(4097),
  'parameter "p" has a text of 4097 characters, at most 4096 are allowed',
);
test(
  value,
  {},
  'a\0',
  'parameter "p" must be text: "a\\u0000" holds a zero character or half a surrogate pair',
);
test(
  value,
  {},
  key,
  'parameter "p" looks like a PEM private key: images are readable by all, so no secret may be in one',
);
test(value, {allowedValues: ['a', 'b']}, 'b', '');
test(value, {allowedValues: ['a', 'b']}, 'c', 'parameter "p" must be one of "a", "b", not "c"');
test(value, {pattern: '[0-9.]+'}, '1.2', '');
test(value, {pattern: 'a|b'}, 'ab', 'parameter "p" must match a|b as a whole, which "ab" does not');
test(
  value,
  {pattern: '^a$'},
  'a\n',
  'parameter "p" must match ^a$ as a whole, which "a\\n" does not',
);
test(value, integer, 80, '');
test(value, integer, 0, 'parameter "p" must be at least 1, not 0');
test(value, integer, 65_536, 'parameter "p" must be at most 65535, not 65536');
test(value, integer, 1.5, 'parameter "p" must be a whole number, not 1.5');
test(value, integer, '80', 'parameter "p" must be a whole number, not "80"');
test(
  value,
  {type: 'integer'},
  2 ** 53,
  'parameter "p" must be a whole number, not 9007199254740992',
);
test(value, {type: 'boolean'}, false, '');
test(value, {type: 'boolean'}, 'true', 'parameter "p" must be true or false, not "true"');
test(value, list, [], '');
test(value, list, ['a', 'B'], 'parameter "p" must match [a-z]+ as a whole, which "B" does not');
test(value, list, 'a', 'parameter "p" must be a list of texts, not "a"');
test(value, list, ['a', 1], 'parameter "p" must be a list of texts, not ["a",1]');
test(
  value,
  list,
  Array.from({length: 257}, () => 'a'),
  'parameter "p" has 257 items, at most 256 are allowed',
);

test('what is unknown and what is missing is named, with what there is', t => {
  const declared = [
    {...base, name: 'port'},
    {...base, name: 'host', defaultValue: 'h'},
  ];
  t.deepEqual(problemsOfParameters(declared, {prot: 1, constructor: 2}), [
    'parameter "prot" is unknown; it has "port", "host"',
    'parameter "constructor" is unknown; it has "port", "host"',
    'parameter "port" is missing and has no default: give it a text',
  ]);
  t.deepEqual(problemsOfParameters([], {x: 1}), ['parameter "x" is unknown; it has no parameters']);
  const long = {port: 'x', ...Object.fromEntries([['k', 'x'.repeat(40_000)]])};
  t.regex(problemsOfParameters(declared, long)[0] ?? '', /at most 32768/);
});

test('a declared parameter has its value or its default, and nothing from elsewhere', t => {
  const declared = [
    {...base, name: 'toString', defaultValue: 'd'},
    {...base, name: 'list', type: 'string_list' as const, defaultValue: []},
    {...base, name: 'on', type: 'boolean' as const, defaultValue: true},
  ];
  t.deepEqual(problemsOfParameters(declared, {on: false}), []);
  t.deepEqual(fillParameters(declared, {on: false}), {toString: 'd', list: [], on: false});
});

const declaration = test.macro({
  title: (_title, parameter: Partial<TemplateParameter>) =>
    `declared ${JSON.stringify(parameter).slice(0, 100)}`,
  exec(t, parameter: Partial<TemplateParameter>, expected: string) {
    t.is(problemsOfDeclarations([{...base, ...parameter}]).join('; '), expected);
  },
});
test(declaration, {pattern: '(a+)+b', defaultValue: 'aab'}, '');
test(
  declaration,
  {type: 'boolean', allowedValues: ['a']},
  'parameter "p" has allowed_values, which only texts can have: it is true or false',
);
test(
  declaration,
  {type: 'integer', pattern: 'a'},
  'parameter "p" has a pattern, which only texts can have: it is a whole number',
);
test(
  declaration,
  {minimum: 1},
  'parameter "p" has a minimum or maximum, which only integers can have: it is a text',
);
test(
  declaration,
  {type: 'integer', minimum: 2, maximum: 1},
  'parameter "p" has a minimum of 2, above its maximum of 1',
);
test(
  declaration,
  {type: 'integer', maximum: 2 ** 60},
  'parameter "p" has a minimum or maximum beyond ±9007199254740991, which no value can reach',
);
test(
  declaration,
  {type: 'integer', maximum: 5, defaultValue: 6},
  'the default of parameter "p" must be at most 5, not 6',
);
test(
  declaration,
  {pattern: '[a-z'},
  'parameter "p" has a pattern that cannot be used: error parsing regexp: missing closing ]: `[a-z`',
);
test(
  declaration,
  {pattern: '(?=x)x'},
  'parameter "p" has a pattern that cannot be used: error parsing regexp: invalid or unsupported Perl syntax: `(?=`',
);
test(
  declaration,
  {pattern: '(.{900}){1}.{900}'},
  'parameter "p" has a pattern that cannot be used: it is too large, with 1804 steps where 1500 are allowed: use smaller repetitions',
);

test('a name is declared once', t => {
  t.deepEqual(problemsOfDeclarations([base, base, base]), ['parameter "p" is declared twice']);
});

test('no pattern takes long, whatever the text', t => {
  const patterns = ['(a+)+b', '(a|a)*b', '(.*)*x', '(?:.?){360}(?:a?){360}b'];
  const texts = Array.from({length: 7}, () => 'a'.repeat(4096));
  for (const pattern of patterns) {
    const started = performance.now();
    problemsOfParameters([{...base, type: 'string_list', pattern}], {p: texts});
    const tookMs = performance.now() - started;
    t.true(tookMs < 5000, `${pattern} took ${tookMs} ms`);
    t.log(`${pattern}: ${Math.round(tookMs)} ms`);
  }
});
