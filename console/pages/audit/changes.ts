import type {JsonObject, JsonValue} from '@bufbuild/protobuf';

/** What the server writes in place of a secret (docs/audit.md). */
export const masked = '[secret]';

export type Change = {
  readonly field: string;
  /** Undefined: it was not there. */
  readonly before: string | undefined;
  readonly after: string | undefined;
};

/** Field by field, those of nested objects by their path; what is the same on both sides is left out. */
export function listChanges(
  before: JsonObject | undefined,
  after: JsonObject | undefined,
): readonly Change[] {
  const old = flatten(before ?? {});
  const next = flatten(after ?? {});
  const fields = [...new Set([...old.keys(), ...next.keys()])];
  return fields
    .map(field => ({field, before: old.get(field), after: next.get(field)}))
    .filter(({before, after}) => before !== after || before === masked);
}

function flatten(value: JsonObject, prefix = ''): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [name, item] of Object.entries(value)) {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    if (isObject(item) && Object.keys(item).length > 0)
      for (const [inner, text] of flatten(item, path)) fields.set(inner, text);
    else fields.set(path, textOf(item));
  }
  return fields;
}

const isObject = (value: JsonValue): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textOf = (value: JsonValue): string =>
  typeof value === 'string' ? value : JSON.stringify(value);
