import test from 'ava';
import fc from 'fast-check';
import {canonicalJson, type Json} from './digests.ts';

test('canonical JSON sorts names at every depth and leaves out what is undefined', t => {
  t.is(
    canonicalJson({b: [1, {d: true, c: 'x'}], a: '', z: undefined}),
    '{"a":"","b":[1,{"c":"x","d":true}]}',
  );
});

test('canonical JSON means the same as JSON, and does not depend on the order of names', t => {
  const {value} = fc.letrec<{value: Json}>(tie => ({
    value: fc.oneof(
      {maxDepth: 3},
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.array(tie('value'), {maxLength: 4}),
      fc.dictionary(fc.string(), tie('value'), {maxKeys: 4}),
    ),
  }));
  fc.assert(
    fc.property(fc.dictionary(fc.string(), value, {maxKeys: 5}), object => {
      const text = canonicalJson(object);
      t.is(canonicalJson(Object.fromEntries(Object.entries(object).toReversed())), text);
      t.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(object)));
    }),
  );
});
