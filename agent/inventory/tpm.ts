import {createHash} from 'node:crypto';
import {constants, open} from 'node:fs/promises';
import type {TpmJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {compact} from '../json.ts';
import type {Found, Source} from './collector.ts';
import {cleanText, type Tree} from './tree.ts';

/** The resource manager's device: it keeps our commands apart from others'. */
const device = '/dev/tpmrm0';
const answerBytesMax = 4096;
const headerBytes = 10;

/** TPM2_GetCapability of TPM_PT_MANUFACTURER (TPM 2.0 Library, part 3, 30.2). */
export const getManufacturer = Buffer.from('8001000000160000017a000000060000010500000001', 'hex');
/** TPM2_ReadPublic of 0x81010001, where the endorsement key is provisioned (TCG EK Credential Profile, 2.2.1.5). */
export const readEndorsementKey = Buffer.from('80010000000e0000017381010001', 'hex');

export async function collectTpm({tree}: Source): Promise<Found> {
  const major = await tree.text('/sys/class/tpm/tpm0/tpm_version_major');
  if (major === undefined) return {};
  if (major !== '2') return {tpm: compact<TpmJson>({version: '1.2'})};

  const manufacturer = parseManufacturer(await ask(tree, getManufacturer));
  const ekHash = await readEkHash(tree);
  return {tpm: compact<TpmJson>({version: '2.0', manufacturer, ekHash})};
}

/** Undefined without a TPM 2.0, and when nobody has provisioned its endorsement key. */
export async function readEkHash(tree: Tree): Promise<string | undefined> {
  return parseEkHash(await ask(tree, readEndorsementKey));
}

/** Four characters: "INTC", "IFX". */
export function parseManufacturer(answer: Buffer | undefined): string | undefined {
  // After the header: more data (1), capability (4), count (4), property (4), value (4).
  if (!isSuccess(answer) || answer.length < headerBytes + 17) return undefined;
  return cleanText(answer.toString('latin1', headerBytes + 13, headerBytes + 17));
}

/** SHA-256 of the public area (TPMT_PUBLIC), hexadecimal: the digest of the key's TPM name. */
export function parseEkHash(answer: Buffer | undefined): string | undefined {
  if (!isSuccess(answer) || answer.length < headerBytes + 2) return undefined;
  const length = answer.readUInt16BE(headerBytes);
  const area = answer.subarray(headerBytes + 2, headerBytes + 2 + length);
  if (length === 0 || area.length < length) return undefined;
  return createHash('sha256').update(area).digest('hex');
}

function isSuccess(answer: Buffer | undefined): answer is Buffer {
  return answer !== undefined && answer.length >= headerBytes && answer.readUInt32BE(6) === 0;
}

/** One command, one answer. Undefined when there is no device or it does not answer. */
async function ask(tree: Tree, command: Buffer): Promise<Buffer | undefined> {
  const file = await open(tree.path(device), constants.O_RDWR).catch(() => undefined);
  if (!file) return undefined;
  try {
    await file.write(command);
    const {bytesRead, buffer} = await file.read(Buffer.alloc(answerBytesMax), 0, answerBytesMax);
    return buffer.subarray(0, bytesRead);
  } catch {
    return undefined;
  } finally {
    await file.close();
  }
}
