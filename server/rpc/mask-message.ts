import {
  type DescField,
  type DescMessage,
  getOption,
  hasOption,
  type JsonObject,
  type JsonValue,
  type Message,
  ScalarType,
  toJson,
} from '@bufbuild/protobuf';
import {secret} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {isSecretName, masked, maskValue} from '../masking.ts';

/** Whether a field may be in no log and no audit entry: it says so, or its name does. A yes or no is no secret by its name. */
export const isSecretField = (field: DescField): boolean =>
  (hasOption(field, secret) && getOption(field, secret)) ||
  (isSecretName(field.name) && field.scalar !== ScalarType.BOOL);

/** The message as proto-JSON with proto names, without its secrets, at any depth. */
export function maskMessage(schema: DescMessage, message: Message): JsonObject {
  const json = toJson(schema, message, {useProtoFieldName: true});
  return maskValue(maskFields(schema, json)) as JsonObject;
}

function maskFields(schema: DescMessage, json: JsonValue): JsonValue {
  if (!isObject(json) || schema.typeName.startsWith('google.protobuf.')) return json;
  const fields = new Map(schema.fields.map(field => [field.name, field]));
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => {
      const field = fields.get(name);
      return [name, field ? maskField(field, value) : value];
    }),
  );
}

function maskField(field: DescField, value: JsonValue): JsonValue {
  if (isSecretField(field)) return masked;
  if (field.fieldKind === 'scalar' && typeof value === 'string' && isBytes(field))
    return `[${Buffer.from(value, 'base64').length} bytes]`;
  const inner =
    field.fieldKind === 'message' || field.fieldKind === 'list' || field.fieldKind === 'map'
      ? field.message
      : undefined;
  if (!inner) return value;
  if (field.fieldKind === 'list' && Array.isArray(value))
    return value.map(item => maskFields(inner, item));
  if (field.fieldKind === 'map' && isObject(value))
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, maskFields(inner, item)]),
    );
  return maskFields(inner, value);
}

const isBytes = (field: DescField): boolean =>
  field.fieldKind === 'scalar' && field.scalar === ScalarType.BYTES;

const isObject = (value: JsonValue): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
