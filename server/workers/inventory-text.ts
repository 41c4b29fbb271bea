import {createHash} from 'node:crypto';
import {passingFields} from '@muster/runtime/passing-fields.ts';
import {isUuid} from '../domain/ids.ts';

/** Raised whenever an inventory of the same text would be kept differently: then each is read once more. */
const readingVersion = 1;

/** Names and values of a report that are others each time. */
const passing = new RegExp(
  `"(?:${['reportId', ...passingFields].join('|')})":(?:"[^"\\\\]*"|\\d{1,20})`,
  'g',
);

/** What is known about an inventory report before anybody has read it. */
export type InventoryText = {
  readonly reportId: string;
  readonly machineId: string;
  /** Equal for equal hardware in equal words. No proof of anything: the sender makes the text. */
  readonly wireSha256: Buffer;
};

/**
 * Undefined when the text is no inventory report as agents write them; whoever reads it whole says what is wrong. A quote within a JSON string is
 * escaped, so `passing` matches names and values only.
 */
export function readInventoryText(text: string): InventoryText | undefined {
  const [envelope, inventory] = text.slice(0, envelopeLengthMax).split('"inventory":');
  if (envelope === undefined || inventory === undefined) return undefined;
  const [reportId, machineId] = [
    envelopeValue(envelope, 'reportId'),
    envelopeValue(envelope, 'machineId'),
  ];
  if (!reportId || !machineId || !isUuid(reportId) || !isUuid(machineId)) return undefined;
  return {reportId, machineId, wireSha256: digestReading(text.replaceAll(passing, ''))};
}

/** What the words of an inventory are known by: themselves, or what stands for them. */
export const digestReading = (words: string | Uint8Array): Buffer =>
  createHash('sha256').update(`${readingVersion}\n`).update(words).digest();

/** Agents write the envelope first, before anything of the inventory. */
const envelopeLengthMax = 256;

const envelopeValue = (envelope: string, name: string): string | undefined =>
  new RegExp(`"${name}":"([^"\\\\]{1,64})"`).exec(envelope)?.[1];
