import {
  create,
  type DescEnum,
  type DescField,
  type DescMessage,
  getOption,
  type JsonObject,
  ScalarType,
} from '@bufbuild/protobuf';
import {FeatureSet_FieldPresence} from '@bufbuild/protobuf/wkt';
import {createValidator} from '@bufbuild/protovalidate';
import {comments} from '@muster/proto/gen/comments.ts';
import {secret} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {constrain, objectIn, rulesOf, type Schema} from './openapi-rules.ts';
import {isWellKnown, lowerName} from './rest-json.ts';

/** Requests are checked against the rules and refuse unknown fields; answers always carry every field that has a default. */
export type Side = 'input' | 'output';

export type Schemas = ReturnType<typeof createSchemas>;

/** Writes the schema of each message and enum that is asked for, once, under `#/components/schemas`. */
export function createSchemas() {
  const components: Record<string, Schema> = {};

  const component = (name: string, make: () => Schema): Schema => {
    if (!(name in components)) {
      // A message may hold itself.
      components[name] = {};
      components[name] = make();
    }
    return {$ref: `#/components/schemas/${name}`};
  };

  const ofEnum = (desc: DescEnum) => component(nameOf(desc), () => enumSchema(desc));

  const ofMessage = (message: DescMessage, side: Side): Schema => {
    if (isWellKnown(message)) return wellKnown(message);
    const name = nameOf(message);
    // A resource that is also sent has a second schema: other fields are required, and rules hold.
    const suffix = side === 'output' || name.endsWith('Request') ? '' : 'Input';
    return component(name + suffix, () => ofFields(message, side));
  };

  /** The object itself, for instance without the fields that the path holds. */
  const ofFields = (message: DescMessage, side: Side, except: readonly string[] = []): Schema => {
    const fields = message.fields.filter(({name}) => !except.includes(name));
    const required = requiredFields(message, side).filter(name => !except.includes(name));
    return {
      type: 'object',
      ...described(message.typeName, oneofComments(message)),
      properties: Object.fromEntries(fields.map(field => [field.name, ofField(field, side)])),
      ...(required.length > 0 ? {required: [...required]} : {}),
      ...(side === 'input' ? {additionalProperties: false} : {}),
    };
  };

  const ofValue = (field: DescField, side: Side): Schema => {
    if (field.message) return ofMessage(field.message, side);
    if (field.enum) return ofEnum(field.enum);
    return scalars[field.scalar ?? ScalarType.STRING];
  };

  const ofField = (field: DescField, side: Side): Schema => ({
    ...withRules(field, side, ofValue(field, side)),
    ...aboutField(field),
  });

  return {components, ofMessage, ofFields, ofField};
}

const enumSchema = (desc: DescEnum): Schema => ({
  type: 'string',
  enum: desc.values.map(({name}) => lowerName(desc, name)),
  ...described(desc.typeName, enumComments(desc)),
});

const aboutField = (field: DescField): Schema => ({
  ...described(`${field.parent.typeName}.${field.name}`),
  ...(field.proto.options?.deprecated ? {deprecated: true} : {}),
  ...(getOption(field, secret) ? {'x-muster-secret': true} : {}),
});

/** Answers are not checked against rules on their way out, so their schema promises none. */
function withRules(field: DescField, side: Side, value: Schema): Schema {
  const rules = side === 'input' ? rulesOf(field) : {};
  if (field.fieldKind === 'list') {
    const items = constrain(value, objectIn(objectIn(rules.repeated).items), field.enum);
    return constrain({type: 'array', items}, rules);
  }
  if (field.fieldKind === 'map') {
    const values = constrain(value, objectIn(objectIn(rules.map).values), field.enum);
    return constrain({type: 'object', additionalProperties: values}, rules);
  }
  return constrain(value, rules, field.enum);
}

const validator = createValidator();

/**
 * In a request: what the validator misses in an empty message, so that its rules decide and not a second reading of them. In an answer: every
 * field that has a default, since those are always written.
 */
export function requiredFields(message: DescMessage, side: Side): readonly string[] {
  if (side === 'output')
    return message.fields
      .filter(({presence}) => presence === FeatureSet_FieldPresence.IMPLICIT)
      .map(({name}) => name);
  const {violations = []} = validator.validate(message, create(message));
  const missing = violations.map(({field: [first]}) => (first?.kind === 'field' ? first.name : ''));
  return [...new Set(missing)].filter(name => name !== '');
}

/** "Machine.State"; names of other packages stay whole. */
const nameOf = ({typeName}: DescMessage | DescEnum) => typeName.replace(/^muster\.v1\./, '');

/** The comment of the contract, then what else there is to say. */
export function described(name: string, ...more: readonly string[]): {description?: string} {
  const description = [comments[name] ?? '', ...more].filter(text => text !== '').join('\n\n');
  return description === '' ? {} : {description};
}

const enumComments = (desc: DescEnum): string =>
  desc.values
    .map(({name}) => [lowerName(desc, name), comments[`${desc.typeName}.${name}`]] as const)
    .filter(([, comment]) => comment !== undefined)
    .map(([name, comment]) => `- \`${name}\`: ${comment}`)
    .join('\n');

const oneofComments = (message: DescMessage): string =>
  message.oneofs
    .map(({fields}) => `At most one of ${fields.map(({name}) => `\`${name}\``).join(', ')} is set.`)
    .join('\n');

const wide = (unsigned: boolean): Schema => ({
  type: ['integer', 'string'],
  format: unsigned ? 'uint64' : 'int64',
  pattern: unsigned ? '^[0-9]+$' : '^-?[0-9]+$',
  ...(unsigned ? {minimum: 0} : {}),
});
const narrow: Schema = {type: 'integer', format: 'int32'};
const narrowUnsigned: Schema = {type: 'integer', format: 'uint32', minimum: 0};

/** As rest-json.ts writes them. */
const scalars: Readonly<Record<ScalarType, Schema>> = {
  [ScalarType.DOUBLE]: {type: 'number', format: 'double'},
  [ScalarType.FLOAT]: {type: 'number', format: 'float'},
  [ScalarType.INT64]: wide(false),
  [ScalarType.SINT64]: wide(false),
  [ScalarType.SFIXED64]: wide(false),
  [ScalarType.UINT64]: wide(true),
  [ScalarType.FIXED64]: wide(true),
  [ScalarType.INT32]: narrow,
  [ScalarType.SINT32]: narrow,
  [ScalarType.SFIXED32]: narrow,
  [ScalarType.UINT32]: narrowUnsigned,
  [ScalarType.FIXED32]: narrowUnsigned,
  [ScalarType.BOOL]: {type: 'boolean'},
  [ScalarType.STRING]: {type: 'string'},
  [ScalarType.BYTES]: {type: 'string', contentEncoding: 'base64'},
};

const wellKnownSchemas: Readonly<Record<string, JsonObject>> = {
  Timestamp: {type: 'string', format: 'date-time'},
  Duration: {type: 'string', pattern: '^-?[0-9]+(\\.[0-9]{1,9})?s$'},
  FieldMask: {type: 'string', description: 'Names of fields, separated by commas.'},
  Struct: {type: 'object', additionalProperties: true},
  ListValue: {type: 'array', items: {}},
  Value: {},
  Empty: {type: 'object'},
  Any: {type: 'object', required: ['@type'], properties: {'@type': {type: 'string'}}},
};

/** google.protobuf.*, whose JSON is canonical; a wrapper is its value, 64-bit ones as strings. */
function wellKnown(message: DescMessage): Schema {
  const schema = wellKnownSchemas[message.name];
  if (schema) return schema;
  const scalar = scalars[message.fields[0]?.scalar ?? ScalarType.STRING];
  return Array.isArray(scalar.type) ? {...scalar, type: 'string'} : scalar;
}
