import type {JsonObject} from '@bufbuild/protobuf';
import {Machine_StateSchema} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import test, {type ExecutionContext} from 'ava';
import {constrain, type Schema} from './openapi-rules.ts';

const becomes = test.macro({
  title: (_title, rules: JsonObject) => `${JSON.stringify(rules)} as keywords`,
  exec(t: ExecutionContext, rules: JsonObject, expected: Schema, schema: Schema = {}) {
    t.deepEqual(constrain(schema, rules, Machine_StateSchema), expected);
  },
});

const cases: readonly (readonly [JsonObject, Schema, Schema?])[] = [
  [{}, {}],
  [{required: true}, {}],
  [{string: {min_len: '1', max_len: '64'}}, {minLength: 1, maxLength: 64}],
  [{string: {len: '3', pattern: '^a'}}, {minLength: 3, maxLength: 3, pattern: '^a'}],
  [{string: {prefix: 'a.b', suffix: '$'}}, {pattern: '^a\\.b', allOf: [{pattern: '\\$$'}]}],
  [{string: {ip: true}}, {anyOf: [{format: 'ipv4'}, {format: 'ipv6'}]}],
  [{string: {in: ['a', 'b'], not_in: ['c']}}, {enum: ['a', 'b'], not: {enum: ['c']}}],
  [{int32: {gte: 0, lt: 10}}, {minimum: 0, exclusiveMaximum: 10}],
  // The type's own limit stays.
  [{uint64: {gt: '5'}}, {minimum: 0, exclusiveMinimum: 5}, {minimum: 0}],
  [{uint64: {gte: '5'}}, {minimum: 0, allOf: [{minimum: 5}]}, {minimum: 0}],
  [{double: {finite: true, lte: 1.5}}, {maximum: 1.5}],
  [{bytes: {len: '64'}}, {minLength: 86, maxLength: 88}],
  [{enum: {defined_only: true, not_in: [0, 1]}}, {not: {enum: ['unspecified', 'expected']}}],
  [
    {repeated: {min_items: '1', max_items: '8', unique: true, items: {}}},
    {
      minItems: 1,
      maxItems: 8,
      uniqueItems: true,
    },
  ],
  [
    {map: {max_pairs: '4', keys: {string: {max_len: '9'}}, values: {}}},
    {
      maxProperties: 4,
      propertyNames: {maxLength: 9},
    },
  ],
  [{ignore: 'IGNORE_ALWAYS', string: {min_len: '1'}}, {}],
  [
    {ignore: 'IGNORE_IF_ZERO_VALUE', string: {min_len: '2'}},
    {
      anyOf: [{enum: ['', 0, 'unspecified', []]}, {minLength: 2}],
    },
  ],
  // No keyword says it: it stands there as it is.
  [
    {string: {max_bytes: '9', max_len: '9'}, cel: [{id: 'x'}]},
    {
      maxLength: 9,
      'x-muster-rules': {string: {max_bytes: '9'}, cel: [{id: 'x'}]},
    },
  ],
];

for (const entry of cases) test(becomes, ...entry);
