import test from 'ava';
import fc from 'fast-check';
import {parseFilter} from './parser.ts';
import {type Filter, FilterError, filterLengthMax, operators, printFilter} from './syntax.ts';

/** Where a part stood does not matter for what it means. */
const bare = (filter: Filter | undefined): unknown =>
  JSON.parse(
    JSON.stringify(filter ?? null, (key, value: unknown) => (key === 'offset' ? 0 : value)),
  );

const printed = (text: string) => {
  const filter = parseFilter(text);
  return filter && printFilter(filter);
};

test('each form of the language means what AIP-160 says', t => {
  for (const [text, expected] of [
    ['', undefined],
    ['  ', undefined],
    ['web', '"web"'],
    ['state = READY', 'state = "READY"'],
    [
      'state=READY AND hardware.memory_bytes>64G',
      'state = "READY" AND hardware."memory_bytes" > "64G"',
    ],
    ['a b AND c', '"a" AND "b" AND "c"'],
    ['a AND b OR c', '"a" AND "b" OR "c"'],
    ['(a AND b) OR c', '("a" AND "b") OR "c"'],
    ['a AND (b AND c)', '"a" AND "b" AND "c"'],
    ['-a NOT b', 'NOT "a" AND NOT "b"'],
    ['NOT (a OR b)', 'NOT ("a" OR "b")'],
    ['NOT (NOT a)', 'NOT (NOT "a")'],
    ['labels:rack', 'labels : "rack"'],
    ['labels."example.com/rack" != r7', 'labels."example.com/rack" != "r7"'],
    ['state = (READY OR ACTIVE)', 'state = "READY" OR state = "ACTIVE"'],
    ['state != (NOT READY)', 'NOT state != "READY"'],
    ['clock_skew_ms < -500', 'clock_skew_ms < "-500"'],
    ['hostname = web-*.example.com', 'hostname = "web-*.example.com"'],
    [String.raw`notes : "say \"hi\" \* \\"`, String.raw`notes : "say \"hi\" \* \\"`],
    ['description = \'a "b"\'', String.raw`description = "a \"b\""`],
    ['52:54:00:aa:00:01', '"52:54:00:aa:00:01"'],
    ['mac_address = 52:54:00:AA:00:01', 'mac_address = "52:54:00:AA:00:01"'],
    ['create_time>=2026-01-02T03:04:05Z x', 'create_time >= "2026-01-02T03:04:05Z" AND "x"'],
    ['10.0.0.1', '"10.0.0.1"'],
    ['node-01 ANDroid', '"node-01" AND "ANDroid"'],
  ] as const)
    t.is(printed(text), expected, text);
});

test('what is wrong is said with its place', t => {
  for (const [text, problem, offset] of [
    ['state =', 'the filter ends where a value is expected', 7],
    ['state = AND', 'AND stands where a value is expected', 8],
    ['(a OR b', 'this bracket is never closed', 0],
    ['a)', '")" does not belong here', 1],
    ['a AND', 'the filter ends where a field or a word is expected', 5],
    ['"a" = b', 'a field stands before a comparison, not the value "a"', 0],
    ['x State = b', '"State" is no name of a field', 2],
    ['labels..x = 1', '"labels..x" is no name of a field', 0],
    ['name = "abc', 'the quotation mark " is never closed', 7],
    [
      'a = (b = c)',
      'brackets after a comparison hold values only, for example (READY OR ACTIVE)',
      5,
    ],
    ['size(disks) > 3', 'functions are not known', 0],
    ['a, b', '"," stands where a field or a word is expected', 1],
  ] as const) {
    const error = t.throws(() => parseFilter(text), {instanceOf: FilterError}, text);
    t.is(error?.message, problem, text);
    t.is(error?.offset, offset, text);
  }
});

test('length, depth and number of conditions have limits', t => {
  const {throws} = t;
  throws(() => parseFilter('x'.repeat(filterLengthMax + 1)), {message: /4097 characters/});
  throws(() => parseFilter('('.repeat(2000)), {message: /more than 16 deep/});
  throws(() => parseFilter('a '.repeat(65)), {message: /more than 64 conditions/});
  t.truthy(parseFilter(`${'('.repeat(16)}a${')'.repeat(16)}`));
  t.truthy(parseFilter('a '.repeat(64)));
});

const value = fc.array(fc.string({maxLength: 8, unit: 'grapheme'}), {minLength: 1, maxLength: 3});
const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/);
const segment = fc.string({minLength: 1, maxLength: 8, unit: 'grapheme'});
const leaf: fc.Arbitrary<Filter> = fc.oneof(
  value.map(parts => ({kind: 'text', value: parts, offset: 0}) as const),
  fc
    .tuple(name, fc.array(segment, {maxLength: 2}), fc.constantFrom(...operators), value)
    .map(([first, rest, operator, parts]) => ({
      kind: 'compare' as const,
      path: [first, ...rest],
      operator,
      value: parts,
      offset: 0,
    })),
);
const {filter: anyFilter} = fc.letrec<{filter: Filter}>(tie => ({
  filter: fc.oneof(
    {maxDepth: 4, depthIdentifier: 'filter'},
    leaf,
    tie('filter').map(part => ({kind: 'not' as const, part})),
    fc
      .tuple(
        fc.constantFrom('and' as const, 'or' as const),
        fc.array(tie('filter'), {minLength: 2, maxLength: 3}),
      )
      .map(([kind, parts]) => ({
        kind,
        parts: parts.flatMap(part => (part.kind === kind ? part.parts : [part])),
      })),
  ),
}));

const countTerms = (filter: Filter): number => {
  if (filter.kind === 'and' || filter.kind === 'or')
    return filter.parts.reduce((sum, part) => sum + countTerms(part), 0);
  return filter.kind === 'not' ? countTerms(filter.part) : 1;
};

test('what is printed parses to the same filter', t => {
  fc.assert(
    fc.property(anyFilter, filter => {
      const text = printFilter(filter);
      fc.pre(countTerms(filter) <= 64 && text.length <= filterLengthMax);
      t.deepEqual(bare(parseFilter(text)), bare(filter), text);
    }),
    {numRuns: 2000},
  );
});

test('no text makes it throw anything else, or makes it slow', t => {
  const piece = fc.oneof(
    fc.constantFrom(...operators, '(', ')', '"', "'", '\\', '*', '.', ',', '-', 'AND', 'OR'),
    fc.constantFrom('NOT', ' ', 'a', 'labels.', '52:54:00:', '2026-01-01T00:', '\0', '\ud800'),
    fc.string({maxLength: 6, unit: 'binary'}),
  );
  const text = fc.array(piece, {maxLength: 2000}).map(parts => parts.join(''));
  let slowestMs = 0;
  fc.assert(
    fc.property(text, candidate => {
      const start = performance.now();
      try {
        const filter = parseFilter(candidate);
        if (filter) t.deepEqual(bare(parseFilter(printFilter(filter))), bare(filter));
      } catch (error) {
        if (!(error instanceof FilterError)) throw error;
        t.true(error.offset >= 0 && error.offset <= candidate.length);
      }
      slowestMs = Math.max(slowestMs, performance.now() - start);
    }),
    {numRuns: 1500},
  );
  t.true(slowestMs < 1000, `${slowestMs} ms`);
});
