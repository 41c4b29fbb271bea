import {createHash} from 'node:crypto';
import {promisify} from 'node:util';
import {constants, zstdCompress, zstdDecompress} from 'node:zlib';
import {DomainError} from '../errors.ts';
import {appendEvent} from '../store/events.ts';
import {findHardwareBody, findHardwareDigest, saveFacts, saveHardware} from '../store/hardware.ts';
import {findMachine, type HardwareSummary, updateMachine} from '../store/machines.ts';
import type {Sql} from '../store/db.ts';
import type {Deps} from './deps.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
/** Of the JSON; a message on the bus cannot be longer (NATS, max_payload 1 MiB). */
export const hardwareBytesMax = 4 * 1024 * 1024;

/** Of what an inventory is searched by: raised with each change of it, so that the next report is taken in anew. */
const factsVersion = 1;

export type Inventory = {
  /** Canonical: the same hardware has the same text. */
  readonly json: string;
  readonly summary: HardwareSummary;
  /** The same as JSON for searching: names of the contract, texts in lower case. */
  readonly facts: string;
  /** Serial numbers, models and addresses in it. */
  readonly words: string;
};

export type HardwareRecords = ReturnType<typeof createHardware>;

/** The last inventory of each machine, whole; an unchanged one costs a comparison of digests. */
export function createHardware({sql, now, newId}: Deps) {
  return {
    /** In the transaction of the report. */
    async save(tx: Sql, machineId: string, inventory: Inventory): Promise<void> {
      const {json, summary, facts, words} = inventory;
      if (Buffer.byteLength(json) > hardwareBytesMax)
        throw new DomainError(
          'invalid_argument',
          `Cannot keep an inventory of more than ${hardwareBytesMax} bytes`,
        );
      const sha256 = createHash('sha256').update(json).digest();
      const known = await findHardwareDigest(tx, machineId);
      const isSame = known?.sha256.equals(sha256) ?? false;
      if (isSame && known?.factsVersion === factsVersion) return;
      await saveFacts(tx, {machineId, facts, text: words, version: factsVersion});
      if (isSame) return;

      const body = await compress(Buffer.from(json), {
        params: {[constants.ZSTD_c_compressionLevel]: 6},
      });
      const time = now();
      await saveHardware(tx, {machineId, sha256, body, updateTime: time});
      await updateMachine(tx, machineId, {...summary, updateTime: time});
      await appendEvent(tx, {
        id: newId(),
        time,
        type: known ? 'hardware.changed' : 'hardware.reported',
        actor: `agent:${machineId}`,
        machineId,
        subject: `machines/${machineId}/hardware`,
        data: summary,
      });
    },

    /** JSON. Throws not_found. */
    async get(machineId: string): Promise<string> {
      const body = await findHardwareBody(sql, machineId);
      if (body) return (await decompress(body, {maxOutputLength: hardwareBytesMax})).toString();
      if (!(await findMachine(sql, machineId)))
        throw new DomainError('not_found', `Cannot find machine "${machineId}"`);
      throw new DomainError(
        'not_found',
        `Cannot show the hardware of machine "${machineId}": no agent has reported it yet`,
      );
    },
  };
}
