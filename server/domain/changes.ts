import type {Change} from '../store/events.ts';

/** What the audit tells of a new row. */
export const created = (row: object): Change => ({after: {...row}});

/** Of a changed row: the fields that differ, before and after. What is not in `after` stayed as it was. */
export function updated(before: object, after: object): Change {
  const old = Object.entries(before);
  const was = new Map<string, unknown>(old);
  const changed = Object.entries(after).filter(([name, value]) => !isSame(was.get(name), value));
  return {
    before: Object.fromEntries(changed.map(([name]) => [name, was.get(name) ?? null])),
    after: Object.fromEntries(changed.map(([name, value]) => [name, value ?? null])),
  };
}

export const deleted = (row: object): Change => ({before: {...row}});

const isSame = (a: unknown, b: unknown): boolean =>
  JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
