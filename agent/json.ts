/** Parsed JSON from elsewhere, whose shape nobody has checked yet. */
export type JsonObject = {readonly [key: string]: unknown};

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Undefined for what is not a JSON object. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A field of a message in proto-JSON, whose writers may use lowerCamelCase or the names of the proto file, and whose readers take
 * both (protobuf.dev/programming-guides/json, "Field names"). `name` is lowerCamelCase.
 */
export function fieldOf(object: JsonObject, name: string): unknown {
  return object[name] ?? object[name.replaceAll(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)];
}

/** The text of a field; undefined when there is none or it is empty. */
export function textField(object: JsonObject, name: string): string | undefined {
  const value = fieldOf(object, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The strings among a field's items; empty when the field is no list. */
export function textsField(object: JsonObject, name: string): readonly string[] {
  const value = fieldOf(object, name);
  return Array.isArray(value) ? value.filter(item => typeof item === 'string') : [];
}

/** Undefined for what is no finite number from 0 on. */
export function countField(object: JsonObject, name: string): number | undefined {
  const value = fieldOf(object, name);
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** Without the fields that are undefined, empty or empty lists: proto-JSON leaves defaults out. */
export function compact<T extends object>(fields: {[K in keyof T]?: T[K] | undefined}): T {
  const present = Object.entries(fields).filter(
    ([, value]) =>
      value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0),
  );
  return Object.fromEntries(present) as T;
}
