import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  ScalarType,
} from '@bufbuild/protobuf';
import {DomainError} from '../errors.ts';
import {findField} from './rest-routes.ts';

/**
 * The dialect of REST (DESIGN section 3) against canonical proto-JSON: enum values are lower case without their prefix; 64-bit integers are
 * numbers while they are safe; field names are the proto's own. Input may also be canonical.
 */
export function fromDialect(message: DescMessage, value: JsonValue, at = ''): JsonValue {
  if (isWellKnown(message)) return message.typeName === fieldMaskType ? maskIn(value) : value;
  if (value === null) return value;
  if (!isObject(value)) throw invalid(at, 'must be a JSON object');

  const entries = Object.entries(value).map(([name, item]) => {
    const path = at ? `${at}.${name}` : name;
    const field = findField(message, name);
    if (!field) throw unknownField(path, message);
    return [field.jsonName, fieldIn(field, item, path)] as const;
  });
  const names = new Set(entries.map(([name]) => name));
  if (names.size !== entries.length) throw invalid(at, 'names one field twice');
  return Object.fromEntries(entries);
}

/** From `toJson` with proto field names. */
export function toDialect(message: DescMessage, value: JsonValue): JsonValue {
  if (message.typeName === fieldMaskType) return maskOut(value);
  if (isWellKnown(message) || !isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      const field = findField(message, name);
      return [name, field ? fieldToDialect(field, item) : item];
    }),
  );
}

/** One field's value, as `toDialect` does it. */
export function fieldToDialect(field: DescField, value: JsonValue): JsonValue {
  return eachItem(field, value, item => {
    const type = itemType(field);
    if (type.message) return toDialect(type.message, item);
    if (type.enum) return enumOut(type.enum, item);
    return type.wide && typeof item === 'string' ? narrow(item) : item;
  });
}

function fieldIn(field: DescField, value: JsonValue, at: string): JsonValue {
  if (value === null) return value;
  if (field.fieldKind === 'list' && !Array.isArray(value)) throw invalid(at, 'must be an array');
  if (field.fieldKind === 'map' && !isObject(value)) throw invalid(at, 'must be an object');
  return eachItem(field, value, (item, key) => {
    const type = itemType(field);
    const path = key === undefined ? at : `${at}[${key}]`;
    if (type.message) return fromDialect(type.message, item, path);
    if (type.enum) return enumIn(type.enum, item, path);
    if (type.wide && typeof item === 'number' && !Number.isSafeInteger(item))
      throw invalid(path, 'is not a whole number that JSON keeps exact: send it as a string');
    return item;
  });
}

type ItemType = {readonly message?: DescMessage; readonly enum?: DescEnum; readonly wide?: boolean};

function itemType(field: DescField): ItemType {
  if (field.message) return {message: field.message};
  if (field.enum) return {enum: field.enum};
  return {wide: field.scalar !== undefined && wideScalars.has(field.scalar)};
}

const wideScalars: ReadonlySet<ScalarType> = new Set([
  ScalarType.INT64,
  ScalarType.UINT64,
  ScalarType.SINT64,
  ScalarType.FIXED64,
  ScalarType.SFIXED64,
]);

function eachItem(
  field: DescField,
  value: JsonValue,
  convert: (item: JsonValue, key?: string | number) => JsonValue,
): JsonValue {
  if (field.fieldKind === 'list' && Array.isArray(value)) return value.map(convert);
  if (field.fieldKind === 'map' && isObject(value))
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, convert(item, key)]),
    );
  return convert(value);
}

export function enumIn(desc: DescEnum, value: JsonValue, at: string): JsonValue {
  const found = desc.values.find(
    ({name, number}) => value === name || value === number || value === lowerName(desc, name),
  );
  if (!found) {
    const names = desc.values.slice(1).map(({name}) => lowerName(desc, name));
    throw invalid(at, `must be one of "${names.join('", "')}"`);
  }
  return found.name;
}

function enumOut(desc: DescEnum, value: JsonValue): JsonValue {
  return typeof value === 'string' ? lowerName(desc, value) : value;
}

/** "ready" of STATE_READY. */
export function lowerName(desc: DescEnum, name: string): string {
  const lower = name.toLowerCase();
  const prefix = desc.sharedPrefix ?? '';
  return lower.startsWith(prefix) ? lower.slice(prefix.length) : lower;
}

function narrow(text: string): JsonValue {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : text;
}

export const fieldMaskType = 'google.protobuf.FieldMask';

const maskIn = (value: JsonValue) =>
  typeof value === 'string'
    ? value.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
    : value;

const maskOut = (value: JsonValue) =>
  typeof value === 'string'
    ? value.replaceAll(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
    : value;

export const isWellKnown = (message: DescMessage) =>
  message.typeName.startsWith('google.protobuf.');

export const isObject = (value: JsonValue): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const invalid = (at: string, problem: string) =>
  new DomainError(
    'invalid_argument',
    `Cannot read the request: ${at ? `"${at}"` : 'the body'} ${problem}`,
  );

const unknownField = (path: string, message: DescMessage) =>
  new DomainError(
    'invalid_argument',
    `Cannot read the request: unknown field "${path}"; ${message.name} has "${message.fields.map(({name}) => name).join('", "')}"`,
  );
