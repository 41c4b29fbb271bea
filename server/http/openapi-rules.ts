import {
  type DescEnum,
  type DescField,
  getOption,
  hasOption,
  type JsonObject,
  type JsonValue,
  toJson,
} from '@bufbuild/protobuf';
import {field as fieldRules, FieldRulesSchema} from '@muster/proto/gen/buf/validate/validate_pb.ts';
import {isObject, lowerName} from './rest-json.ts';

/** A JSON Schema (2020-12, as OpenAPI 3.1 takes it). */
export type Schema = JsonObject;

type Rules = JsonObject;
type Keyword = (value: JsonValue, desc: DescEnum | undefined) => Schema;

/** The buf.validate rules of a field as canonical JSON with the proto's own names: `{"string": {"max_len": "64"}}`. */
export function rulesOf(field: DescField): Rules {
  if (!hasOption(field, fieldRules)) return {};
  return objectIn(
    toJson(FieldRulesSchema, getOption(field, fieldRules), {useProtoFieldName: true}),
  );
}

/**
 * `schema` with the rules as keywords. What JSON Schema has no word for stands in "x-muster-rules" as it is in the contract, so that nothing is
 * kept from the reader. `required` is no property of the value: see `requiredFields` in openapi-schemas.ts.
 */
export function constrain(schema: Schema, rules: Rules, desc?: DescEnum): Schema {
  const {required: _required, ignore, ...kinds} = rules;
  if (ignore === 'IGNORE_ALWAYS') return schema;

  const left: JsonObject = {};
  let constrained: Schema = {};
  for (const [kind, ofKind] of Object.entries(kinds)) {
    const known = keywords[kind] ?? {};
    const unknown: JsonObject = {};
    for (const [name, value] of Object.entries(objectIn(ofKind))) {
      const keyword = known[name];
      if (keyword) constrained = both(constrained, keyword(value, desc));
      else unknown[name] = value;
    }
    if (!isObject(ofKind)) left[kind] = ofKind;
    else if (Object.keys(unknown).length > 0) left[kind] = unknown;
  }
  const extension = Object.keys(left).length > 0 ? {'x-muster-rules': left} : {};
  if (ignore !== 'IGNORE_IF_ZERO_VALUE' || Object.keys(constrained).length === 0)
    return {...both(schema, constrained), ...extension};
  return {...schema, anyOf: [{enum: ['', 0, 'unspecified', []]}, constrained], ...extension};
}

/** Both hold. A keyword that stands in each goes into `allOf`: an object has room for one. */
function both(schema: Schema, more: Schema): Schema {
  const clash = Object.keys(more).some(keyword => keyword in schema && keyword !== 'format');
  if (!clash) return {...schema, ...more};
  const {allOf} = schema;
  return {...schema, allOf: [...(Array.isArray(allOf) ? allOf : []), more]};
}

export const objectIn = (value: JsonValue | undefined): JsonObject =>
  value !== undefined && isObject(value) ? value : {};

const listIn = (value: JsonValue) => (Array.isArray(value) ? value : [value]);

/** 64-bit limits are strings in canonical JSON. */
const numberIn = (value: JsonValue) => Number(value);

const numeric: Readonly<Record<string, Keyword>> = {
  const: value => ({const: numberIn(value)}),
  lt: value => ({exclusiveMaximum: numberIn(value)}),
  lte: value => ({maximum: numberIn(value)}),
  gt: value => ({exclusiveMinimum: numberIn(value)}),
  gte: value => ({minimum: numberIn(value)}),
  in: value => ({enum: listIn(value).map(numberIn)}),
  not_in: value => ({not: {enum: listIn(value).map(numberIn)}}),
  // Numbers are: the dialect's description says what the others look like.
  finite: () => ({}),
};

const literally = (value: JsonValue) =>
  typeof value === 'string' ? value.replaceAll(/[$()*+.?[\\\]^{|}/]/g, '\\$&') : '';

const text: Readonly<Record<string, Keyword>> = {
  const: value => ({const: value}),
  len: value => ({minLength: numberIn(value), maxLength: numberIn(value)}),
  min_len: value => ({minLength: numberIn(value)}),
  max_len: value => ({maxLength: numberIn(value)}),
  pattern: value => ({pattern: value}),
  prefix: value => ({pattern: `^${literally(value)}`}),
  suffix: value => ({pattern: `${literally(value)}$`}),
  contains: value => ({pattern: literally(value)}),
  not_contains: value => ({not: {pattern: literally(value)}}),
  in: value => ({enum: listIn(value)}),
  not_in: value => ({not: {enum: listIn(value)}}),
  uuid: () => ({format: 'uuid'}),
  email: () => ({format: 'email'}),
  hostname: () => ({format: 'hostname'}),
  ipv4: () => ({format: 'ipv4'}),
  ipv6: () => ({format: 'ipv6'}),
  ip: () => ({anyOf: [{format: 'ipv4'}, {format: 'ipv6'}]}),
  uri: () => ({format: 'uri'}),
  uri_ref: () => ({format: 'uri-reference'}),
};

/** The rule counts bytes, JSON Schema the letters of their base64 with or without padding. */
const base64LengthMin = (value: JsonValue) => Math.ceil((numberIn(value) * 4) / 3);
const base64LengthMax = (value: JsonValue) => Math.ceil(numberIn(value) / 3) * 4;

const bytes: Readonly<Record<string, Keyword>> = {
  len: value => ({minLength: base64LengthMin(value), maxLength: base64LengthMax(value)}),
  min_len: value => ({minLength: base64LengthMin(value)}),
  max_len: value => ({maxLength: base64LengthMax(value)}),
};

const namesOf = (desc: DescEnum | undefined, numbers: JsonValue) => {
  const wanted = new Set(listIn(numbers).map(numberIn));
  return (desc?.values ?? [])
    .filter(value => wanted.has(value.number))
    .map(value => lowerName(value.parent, value.name));
};

const enumeration: Readonly<Record<string, Keyword>> = {
  const: (value, desc) => ({enum: namesOf(desc, value)}),
  in: (value, desc) => ({enum: namesOf(desc, value)}),
  not_in: (value, desc) => ({not: {enum: namesOf(desc, value)}}),
  // The schema of an enum holds the defined names only.
  defined_only: () => ({}),
};

const list: Readonly<Record<string, Keyword>> = {
  min_items: value => ({minItems: numberIn(value)}),
  max_items: value => ({maxItems: numberIn(value)}),
  unique: value => ({uniqueItems: value}),
  // The schema of the items carries them.
  items: () => ({}),
};

const map: Readonly<Record<string, Keyword>> = {
  min_pairs: value => ({minProperties: numberIn(value)}),
  max_pairs: value => ({maxProperties: numberIn(value)}),
  keys: value => ({propertyNames: constrain({}, objectIn(value))}),
  // The schema of the values carries them.
  values: () => ({}),
};

/** By kind of rule, then by rule. */
const keywords: Readonly<Record<string, Readonly<Record<string, Keyword>>>> = {
  ...Object.fromEntries(
    'float double int32 int64 uint32 uint64 sint32 sint64 fixed32 fixed64 sfixed32 sfixed64'
      .split(' ')
      .map(kind => [kind, numeric]),
  ),
  bool: {const: value => ({const: value})},
  string: text,
  bytes,
  enum: enumeration,
  repeated: list,
  map,
};
