import {uuidv7} from '@muster/runtime/ids.ts';
import test from 'ava';
import fc from 'fast-check';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {DomainError} from '../errors.ts';
import {type Filter, operators, printFilter} from '../filter/syntax.ts';
import {isSortable, machineFields} from '../store/machine-fields.ts';
import {hasFacet} from '../store/machine-search.ts';
import {insertMachine} from '../store/machines.ts';
import {createMachineSearch} from './machine-search.ts';

const postgres = postgresOf(test);

async function setUp(timeoutMs?: number) {
  const database = await postgres.createDatabase();
  const {sql} = database;
  const now = () => new Date();
  const busStatus = () => ({connected: true, since: new Date(0)});
  const times = {stateTime: now(), createTime: now(), updateTime: now()};
  for (const hostname of ['alpha', 'beta'])
    await insertMachine(sql, {id: uuidv7(), state: 'ready', hostname, ...times});
  const search = createMachineSearch({sql, now, busStatus, ...(timeoutMs && {timeoutMs})});
  const query = {orderBy: '', states: [], pageSize: 10, pageToken: '', countTotal: true};
  return {
    sql,
    search,
    list: (filter: string, orderBy = '') =>
      search.list({...query, filter, orderBy, columns: new Set()}),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

const text = fc.oneof(
  fc.string({maxLength: 6, unit: 'grapheme'}),
  fc.constantFrom(
    '',
    '%',
    '_',
    '\\',
    '"',
    "'",
    '$1',
    '-7d',
    '64G',
    '1.5',
    'true',
    'READY',
    'token',
  ),
  fc.constantFrom('ONLINE', '2026-01-01', '0001-01-01', '9999-12-31T23:59:59Z', '-999999w', '1e9'),
  fc.constantFrom('9007199254740991', '-9007199254740991', '999999999999999999', '3c:ec:ef'),
);
const field = fc.oneof(
  fc.constantFrom(...machineFields.keys()).map(name => name.split('.')),
  fc.string({minLength: 1, maxLength: 6, unit: 'grapheme'}).map(key => ['labels', key]),
);
const filter: fc.Arbitrary<Filter> = fc
  .array(
    fc.oneof(
      fc
        .tuple(field, fc.constantFrom(...operators), fc.array(text, {minLength: 1, maxLength: 3}))
        .map(([path, operator, value]): Filter => ({
          kind: 'compare',
          path,
          operator,
          value,
          offset: 0,
        })),
      fc
        .array(text, {minLength: 1, maxLength: 2})
        .map((value): Filter => ({kind: 'text', value, offset: 0})),
    ),
    {minLength: 2, maxLength: 3},
  )
  .chain(parts =>
    fc.constantFrom<Filter>(
      {kind: 'and', parts},
      {kind: 'or', parts},
      {kind: 'not', part: {kind: 'or', parts}},
      ...parts,
    ),
  );

test('every filter is answered or refused, and its contrary finds the other machines', async t => {
  await using app = await setUp();
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(filter, async made => {
      const printed = printFilter(made);
      try {
        await app.search.check(printed);
      } catch (error) {
        if (error instanceof DomainError && error.kind === 'invalid_argument') return;
        throw error;
      }
      const exact = async (part: string) =>
        (
          await app.search.facets({filter: part, fields: ['hostname'], valuesMax: 0})
        )[0]?.values.map(({value}) => value) ?? [];
      const [met, unmet] = [await exact(printed), await exact(`NOT (${printed})`)];
      t.deepEqual([...met, ...unmet].sort(), ['alpha', 'beta'], printed);
      await app.list(printed);
      answered += 1;
    }),
    {numRuns: 400},
  );
  t.true(answered > 100, `${answered} were answered`);
});

test('every field that says so orders, and every one that says so counts', async t => {
  await using app = await setUp();
  for (const known of machineFields.values()) {
    if (isSortable(known)) t.is((await app.list('', known.name)).machines.length, 2, known.name);
    if (!hasFacet(known)) continue;
    const request = {filter: 'state = READY', fields: [known.name], valuesMax: 5};
    t.is((await app.search.facets(request)).length, 1, known.name);
  }
});

test('a search that takes too long is stopped, and the next one is answered', async t => {
  await using app = await setUp(100);
  await app.sql.begin(async tx => {
    await tx`lock table machines in access exclusive mode`;
    await t.throwsAsync(app.list('alpha'), {message: /Cannot finish the search in time/});
  });
  t.is((await app.list('alpha')).machines.length, 1);
});
