import {createHash} from 'node:crypto';
import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import {
  confirmHardware,
  findHardwareBody,
  findHardwareRecord,
  saveFacts,
  saveHardware,
} from '../store/hardware.ts';
import {
  deleteSurplusVersions,
  findLastVersion,
  findVersion,
  type HardwareVersion,
  insertVersion,
  listVersions,
} from '../store/hardware-versions.ts';
import {
  findMachine,
  findMachineForUpdate,
  type HardwareSummary,
  updateMachine,
} from '../store/machines.ts';
import type {Components} from './components.ts';
import type {Deps} from './deps.ts';
import {countChanges, diffParts, type PartChange, settleParts} from './hardware-diff.ts';
import {judgeHardware} from './hardware-issues.ts';
import {digestParts, type ObservedPart, type Part, type PartKind} from './hardware-parts.ts';
import {describeChange} from './hardware-words.ts';
import {badPageToken} from './ids.ts';
import type {Issues} from './issues.ts';
import {pack, unpack} from './packing.ts';

/** Of the JSON; a message on the bus cannot be longer (NATS, max_payload 1 MiB). */
export const hardwareBytesMax = 4 * 1024 * 1024;
const partsBytesMax = 16 * 1024 * 1024;
const summariesMax = 20;
const pageSizeDefault = 50;
/** Of what an inventory is searched by: raised with each change of it, so that the next report is taken in anew. */
export const factsVersion = 1;

export type Inventory = {
  /** The whole report, without the times of the reading. */
  readonly json: string;
  readonly summary: HardwareSummary;
  /** Arranged. */
  readonly parts: readonly ObservedPart[];
  /** Kinds that the report could not tell of: they are as they were. */
  readonly unread: ReadonlySet<PartKind>;
  /** The same as JSON for searching: names of the contract, texts in lower case. */
  readonly facts: string;
  /** Serial numbers, models and addresses in it. */
  readonly words: string;
};

export type Receipt = {
  readonly time: Date;
  /** When the same was said last, if that was later. */
  readonly confirmTime?: Date;
  /** Of its text: by that an unchanged one is known. */
  readonly wireSha256?: Buffer | undefined;
};

export type HardwareDiff = {
  readonly from: number;
  readonly to: number;
  readonly changes: readonly PartChange[];
};

export type HardwareRecords = ReturnType<typeof createHardware>;

/** The last inventory of each machine, whole, and a version for each time that it was another; an unchanged one costs a comparison of digests. */
export function createHardware({
  sql,
  now,
  newId,
  components,
  issues,
  versionsOfMachineMax,
}: Deps & {
  readonly components: Components;
  readonly issues: Issues;
  readonly versionsOfMachineMax: number;
}) {
  /** The parts as they are after this report, what that changes, and whether it makes a version. */
  async function settle(
    last: Awaited<ReturnType<typeof findLastVersion>>,
    {parts, unread}: Inventory,
  ) {
    const before = last ? await unpackParts(last.parts) : [];
    const settled = settleParts(before, parts, unread);
    const sha256 = digestParts(settled);
    const isNew = !last?.sha256.equals(sha256);
    const changes = last && isNew ? diffParts(before, settled) : [];
    return {parts: settled, sha256, isNew, changes, number: (last?.number ?? 0) + 1};
  }

  async function addVersion(
    tx: Sql,
    machineId: string,
    settled: Awaited<ReturnType<typeof settle>>,
    context: {
      readonly body: Buffer;
      readonly time: Date;
      readonly confirmTime: Date;
      readonly lastConfirmTime: Date | undefined;
      readonly summary: HardwareSummary;
    },
  ): Promise<void> {
    const {parts, sha256, changes, number} = settled;
    const {body, time, confirmTime, lastConfirmTime, summary} = context;
    const counts = countChanges(changes);
    const version = {
      machineId,
      number,
      sha256,
      body,
      parts: await pack(JSON.stringify(parts.map(withoutState))),
      partCount: parts.length,
      counts,
      summaries: changes.slice(0, summariesMax).map(describeChange),
      createTime: time,
      confirmTime,
    };
    await Promise.all([
      insertVersion(tx, version, lastConfirmTime),
      components.place(tx, machineId, {parts, time}),
    ]);
    if (number > versionsOfMachineMax)
      await deleteSurplusVersions(tx, machineId, versionsOfMachineMax);
    await appendEvent(tx, {
      id: newId(),
      time: now(),
      type: number > 1 ? 'hardware.changed' : 'hardware.reported',
      actor: `agent:${machineId}`,
      machineId,
      subject: `machines/${machineId}/hardware/versions/${number}`,
      data: {...summary, version: number, counts, summaries: version.summaries},
    });
  }

  async function assertMachine(machineId: string): Promise<void> {
    if (!(await findMachine(sql, machineId)))
      throw new DomainError('not_found', `Cannot find machine "${machineId}"`);
  }

  async function getVersion(machineId: string, number: number) {
    const version = await findVersion(sql, machineId, number);
    if (version) return version;
    await assertMachine(machineId);
    throw new DomainError(
      'not_found',
      `Cannot find version "${number}" of the hardware of machine "${machineId}": see which ones are kept in its list of versions`,
    );
  }

  return {
    /** In the transaction of the report. One that is older than what is known tells nothing new. */
    async save(
      tx: Sql,
      machineId: string,
      inventory: Inventory,
      {time, confirmTime = time, wireSha256}: Receipt,
    ): Promise<void> {
      const {json, summary, facts, words} = inventory;
      if (Buffer.byteLength(json) > hardwareBytesMax)
        throw new DomainError(
          'invalid_argument',
          `Cannot keep an inventory of more than ${hardwareBytesMax} bytes`,
        );
      // Statements that do not wait for each other go out together: the way to PostgreSQL and back costs more than most of them.
      const [, known, last] = await Promise.all([
        findMachineForUpdate(tx, machineId),
        findHardwareRecord(tx, machineId),
        findLastVersion(tx, machineId),
      ]);
      if (known && known.confirmTime > time) return;

      const sha256 = createHash('sha256').update(json).digest();
      const settled = await settle(last, inventory);
      const isSame = known?.sha256.equals(sha256) === true;
      const confirmation = {machineId, wireSha256: wireSha256 ?? null, confirmTime};
      const {cpuModel} = summary;
      const searched = {machineId, facts, text: words, cpuModel, version: factsVersion};
      const writes =
        !isSame || known.factsVersion !== factsVersion ? [saveFacts(tx, searched)] : [];
      if (isSame && !settled.isNew) {
        writes.push(confirmHardware(tx, confirmation));
      } else {
        const body = await pack(json);
        writes.push(
          saveHardware(tx, {...confirmation, sha256, body, updateTime: time}),
          updateMachine(tx, machineId, {...summary, updateTime: now()}),
        );
        const context = {body, time, confirmTime, lastConfirmTime: known?.confirmTime, summary};
        if (settled.isNew) writes.push(addVersion(tx, machineId, settled, context));
      }
      await Promise.all(writes);
      const about = {machineId, source: 'hardware', actor: `agent:${machineId}`};
      const {changes, parts} = settled;
      await issues.review(tx, about, (open, settings) =>
        judgeHardware({changes, parts, open, settings}),
      );
    },

    /** JSON, and when it was confirmed last. Throws not_found. */
    async get(machineId: string): Promise<{readonly json: string; readonly confirmTime: Date}> {
      const found = await findHardwareBody(sql, machineId);
      if (found) return {json: await unpackHardware(found.body), confirmTime: found.confirmTime};
      await assertMachine(machineId);
      throw new DomainError(
        'not_found',
        `Cannot show the hardware of machine "${machineId}": no agent has reported it yet`,
      );
    },

    /** Newest first. `pageSize` 0 is 50. Throws not_found. */
    async listVersions(
      machineId: string,
      {pageSize, pageToken}: {readonly pageSize: number; readonly pageToken: string},
    ) {
      await assertMachine(machineId);
      const limit = pageSize || pageSizeDefault;
      const before = parseNumber(pageToken);
      const versions = await listVersions(sql, {machineId, before, limit: limit + 1});
      const last = versions.length > limit ? versions[limit - 1] : undefined;
      return {
        versions: versions.slice(0, limit),
        nextPageToken: last ? String(last.number) : '',
      };
    },

    /** With the report that made it, as JSON. Throws not_found. */
    async getVersion(
      machineId: string,
      number: number,
    ): Promise<{readonly version: HardwareVersion; readonly json: string}> {
      const version = await getVersion(machineId, number);
      return {version, json: await unpackHardware(version.body)};
    },

    /** `to` 0 is the newest version, `from` 0 the one before `to`. Throws not_found. */
    async diff(machineId: string, from: number, to: number): Promise<HardwareDiff> {
      const [newest] = await listVersions(sql, {machineId, before: undefined, limit: 1});
      if (!newest) await assertMachine(machineId);
      const last = to || (newest?.number ?? 1);
      const first = from || last - 1;
      const after = await unpackParts((await getVersion(machineId, last)).parts);
      // Before the first version nothing was known.
      const before = first > 0 ? await unpackParts((await getVersion(machineId, first)).parts) : [];
      return {from: first, to: last, changes: diffParts(before, after)};
    },
  };
}

const withoutState = ({kind, slot, serial, model, attributes}: ObservedPart): Part => ({
  kind,
  slot,
  serial,
  model,
  attributes,
});

/** The JSON that was packed. */
export const unpackHardware = async (body: Buffer): Promise<string> =>
  (await unpack(body, hardwareBytesMax)).toString();

const unpackParts = async (body: Buffer): Promise<readonly Part[]> =>
  JSON.parse((await unpack(body, partsBytesMax)).toString()) as readonly Part[];

/** A page token is the number of the last version of the page before. */
function parseNumber(token: string): number | undefined {
  if (token === '') return undefined;
  if (!/^\d{1,9}$/.test(token)) throw badPageToken(token);
  return Number(token);
}
