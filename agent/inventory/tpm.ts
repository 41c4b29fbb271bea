import {createHash} from 'node:crypto';
import {constants} from 'node:fs';
import type {TpmJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {open} from '../files.ts';
import {compact} from '../json.ts';
import type {Found, Source} from './collector.ts';
import {cleanText, type Tree} from './tree.ts';

/** The resource manager's device: it keeps our commands apart from others'. */
const device = '/dev/tpmrm0';
const answerBytesMax = 4096;
const headerBytes = 10;

/** TPM2_GetCapability of TPM_PT_MANUFACTURER (TPM 2.0 Library, part 3, 30.2). */
export const getManufacturer = Buffer.from('8001000000160000017a000000060000010500000001', 'hex');
/** TPM2_ReadPublic of 0x81010001, where an endorsement key may be provisioned (TCG EK Credential Profile 2.5, 2.2.1.5). */
export const readProvisionedKey = Buffer.from('80010000000e0000017381010001', 'hex');

/** The ECC P-256 template L-2 (TCG EK Credential Profile 2.5, B.3.4): every TPM derives the same key from it again and again. */
const endorsementTemplate = Buffer.concat([
  // ECC, SHA-256 names, attributes, policy: TPM2_PolicySecret of the endorsement hierarchy.
  Buffer.from('0023000b000300b2', 'hex'),
  Buffer.from('0020837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa', 'hex'),
  // AES-128 CFB, no scheme, P-256, no key derivation.
  Buffer.from('000600800043001000030010', 'hex'),
  // The unique field: two coordinates of zeros.
  Buffer.from(`0020${'00'.repeat(32)}0020${'00'.repeat(32)}`, 'hex'),
]);

/** TPM2_CreatePrimary below the endorsement hierarchy with an empty password. The key is transient: closing the device drops it. */
export const deriveEndorsementKey = withLength(
  Buffer.concat([
    Buffer.from('800200000000000001314000000b', 'hex'),
    // Authorization: a password session without password.
    Buffer.from('00000009400000090000000000', 'hex'),
    // Sensitive part: no password, no data.
    Buffer.from('000400000000', 'hex'),
    Buffer.from(endorsementTemplate.length.toString(16).padStart(4, '0'), 'hex'),
    endorsementTemplate,
    // No outside data, no PCRs.
    Buffer.from('000000000000', 'hex'),
  ]),
);

/** The size of the whole command stands at offset 2. */
function withLength(command: Buffer): Buffer {
  command.writeUInt32BE(command.length, 2);
  return command;
}

export async function collectTpm({tree}: Source): Promise<Found> {
  const major = await tree.text('/sys/class/tpm/tpm0/tpm_version_major');
  if (major === undefined) return {};
  if (major !== '2') return {tpm: compact<TpmJson>({version: '1.2'})};

  const manufacturer = parseManufacturer(await ask(tree, getManufacturer));
  const ekHash = await readEkHash(tree);
  return {tpm: compact<TpmJson>({version: '2.0', manufacturer, ekHash})};
}

/** Undefined without a TPM 2.0, and when its owner has locked the endorsement hierarchy and provisioned no key. */
export async function readEkHash(tree: Tree): Promise<string | undefined> {
  return (
    parseDerivedKey(await ask(tree, deriveEndorsementKey)) ??
    parsePublicArea(await ask(tree, readProvisionedKey), headerBytes)
  );
}

/** Four characters: "INTC", "IFX". */
export function parseManufacturer(answer: Buffer | undefined): string | undefined {
  // After the header: more data (1), capability (4), count (4), property (4), value (4).
  if (!isSuccess(answer) || answer.length < headerBytes + 17) return undefined;
  return cleanText(answer.toString('latin1', headerBytes + 13, headerBytes + 17));
}

/** Before the public area of a created key: its handle (4) and the size of the parameters (4). */
export const parseDerivedKey = (answer: Buffer | undefined): string | undefined =>
  parsePublicArea(answer, headerBytes + 8);

/** SHA-256 of the public area (TPMT_PUBLIC) at `offset`, hexadecimal: the digest of the key's TPM name. */
export function parsePublicArea(answer: Buffer | undefined, offset: number): string | undefined {
  if (!isSuccess(answer) || answer.length < offset + 2) return undefined;
  const length = answer.readUInt16BE(offset);
  const area = answer.subarray(offset + 2, offset + 2 + length);
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
