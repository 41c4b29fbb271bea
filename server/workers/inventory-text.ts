import {createHash} from 'node:crypto';
import {isUuid} from '../domain/ids.ts';

/** Raised whenever an inventory of the same text would be kept differently: then each is read once more. */
const readingVersion = 1;

/** What the text of a report says anew each time: who says it, when it was read, how long that took, and how old the disks are. */
const passing =
  /"(?:reportId|collectTime)":"[^"\\]*"|"(?:durationMs|powerOnHours)":(?:\d{1,20}|"\d{1,20}")/g;

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
  const reportId = envelopeValue(text, 'reportId');
  const machineId = envelopeValue(text, 'machineId');
  if (!reportId || !machineId || !isUuid(reportId) || !isUuid(machineId)) return undefined;
  const wireSha256 = createHash('sha256')
    .update(`${readingVersion}\n`)
    .update(text.replaceAll(passing, ''))
    .digest();
  return {reportId, machineId, wireSha256};
}

const envelopeLengthMax = 256;

/** Agents write the envelope first, before anything of the inventory. */
function envelopeValue(text: string, name: string): string | undefined {
  const [envelope = ''] = text.slice(0, envelopeLengthMax).split('"inventory"');
  return new RegExp(`"${name}":"([^"\\\\]{1,64})"`).exec(envelope)?.[1];
}
