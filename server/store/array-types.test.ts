import test from 'ava';
import fc from 'fast-check';
import {startPostgres} from '../../test/helpers/postgres.ts';
import {formatArray, parseArray} from './array-types.ts';

test('what is written as an array is read as the same array', t => {
  const items = fc.array(fc.option(fc.string({unit: 'binary'}), {nil: null}));
  fc.assert(
    fc.property(items, expected => {
      t.deepEqual(parseArray(String(formatArray(expected))), expected);
    }),
  );
});

test('PostgreSQL reads and writes the same arrays, on a fresh connection too', async t => {
  await using postgres = await startPostgres();
  const {sql} = postgres;
  const texts = ['a,b', '"', '\\', '', 'NULL', '{}', 'ä\n', ' x '];
  const ids = ['0199c0de-0000-7000-8000-000000000000'];
  const time = new Date('2026-01-02T03:04:05.678Z');
  const [row] = await sql`
    select ${texts}::text[] as texts, ${ids}::uuid[] as ids, ${[1, -2]}::int[] as numbers,
      ${[]}::text[] as none, array[true, false] as flags, array[${time}::timestamptz] as times,
      array['x', null] as holes, ${ids[0] ?? ''}::uuid = any(${ids}) as found
  `;
  t.deepEqual(
    {...row},
    {
      texts,
      ids,
      numbers: [1, -2],
      none: [],
      flags: [true, false],
      times: [time],
      holes: ['x', null],
      found: true,
    },
  );
});
