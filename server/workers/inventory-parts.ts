import {Collector_State, type Hardware} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {
  arrangeParts,
  type ObservedPart,
  type PartKind,
  partKinds,
} from '../domain/hardware-parts.ts';
import {printable} from '../domain/identifiers.ts';
import {type AnyRule, partRules} from './inventory-rules.ts';

const textLengthMax = 256;

/** What a report says the machine is made of, and which kinds it could not read. */
export function readParts(hardware: Hardware): {
  readonly parts: readonly ObservedPart[];
  readonly unread: ReadonlySet<PartKind>;
} {
  const parts: ObservedPart[] = [];
  const unread = new Set<PartKind>();
  for (const kind of partKinds) {
    const rule = partRules[kind];
    const found = rule.read(hardware);
    for (const item of found) parts.push(toPart(kind, rule, item));
    if (!isRead(hardware, rule, found.length)) unread.add(kind);
  }
  return {parts: arrangeParts(parts), unread};
}

function toPart(kind: PartKind, rule: AnyRule, item: never): ObservedPart {
  const attributes: Record<string, string> = {};
  const values: Readonly<Record<string, unknown>> = item;
  const derived = rule.derived?.(item);
  for (const name of rule.lasting) {
    const text = lastingText(derived?.[name] ?? values[name]);
    if (text) attributes[snakeCase(name)] = text;
  }
  return {
    kind,
    slot: clean(rule.slot(item)),
    serial: clean(rule.serial(item) ?? ''),
    model: clean(rule.model(item)),
    attributes,
    ...(rule.state ? {state: rule.state(item)} : {}),
  };
}

/** Defaults of proto fields are "not told". */
function lastingText(value: unknown): string {
  if (typeof value === 'string') return clean(value);
  if (typeof value === 'number' || typeof value === 'bigint') return value ? `${value}` : '';
  return value === true ? 'true' : '';
}

/** What most values are; there is nothing to clean in it. */
const oneWord = /^[!-~]{0,256}$/;

const clean = (text: string): string =>
  oneWord.test(text) ? text : printable(text.replaceAll(/\s+/g, ' '), textLengthMax);

/** Of the few names that rules have: an inventory says each of them a thousand times. */
const snakeCases = new Map<string, string>();

function snakeCase(name: string): string {
  const known = snakeCases.get(name);
  if (known !== undefined) return known;
  const made = name.replaceAll(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);
  snakeCases.set(name, made);
  return made;
}

/** Whether the absence of a part would mean that the machine has none. */
function isRead({collectors}: Hardware, rule: AnyRule, foundCount: number): boolean {
  const states = collectors
    .filter(({name}) => rule.collectors.includes(name))
    .map(({state}) => state)
    .filter(state => state !== Collector_State.UNSPECIFIED);
  if (states.includes(Collector_State.FAILED) || states.includes(Collector_State.TIMED_OUT))
    return false;
  if (foundCount > 0) return true;
  return rule.absenceCounts && states.length > 0;
}
