import {createHash} from 'node:crypto';
import {constants, zstdCompressSync} from 'node:zlib';
import type {PackedInventoryJson} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import type {HardwareJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {passingFields} from '@muster/runtime/passing-fields.ts';
import type {Report} from './outbox.ts';

const passing: ReadonlySet<string> = new Set(passingFields);
/** Higher ones take thrice the time for a hundredth of the size. */
const options = {params: {[constants.ZSTD_c_compressionLevel]: 3}};

/** The message of a report: muster.v1.AgentReport as proto-JSON. An inventory is packed, unless it is the turn of the plain form. */
export function reportText({reportId, body, isPlain}: Report, machineId: string): string {
  const text = JSON.stringify({reportId, machineId, ...body});
  if (!body.inventory || isPlain) return text;
  const packedInventory: PackedInventoryJson = {
    report: zstdCompressSync(text, options).toString('base64'),
    wordsSha256: digestWords(body.inventory),
  };
  return JSON.stringify({reportId, machineId, packedInventory});
}

function digestWords(inventory: HardwareJson): string {
  const words = JSON.stringify(inventory, (name, value: unknown) =>
    passing.has(name) ? undefined : value,
  );
  return createHash('sha256').update(words).digest('base64');
}
