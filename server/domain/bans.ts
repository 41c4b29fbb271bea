import {DomainError} from '../errors.ts';
import * as store from '../store/bans.ts';
import type {Ban, BanKey} from '../store/bans.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import {listEvidence} from '../store/evidence.ts';
import {findMachineForUpdate} from '../store/machines.ts';
import type {AgentKeys} from './agent-keys.ts';
import {created, deleted} from './changes.ts';
import type {Deps} from './deps.ts';
import {parseMacAddress, parseSerial, parseUuid} from './identifiers.ts';
import type {EvidenceItem} from './identity.ts';
import {isUuid, parsePageToken} from './ids.ts';
import {lifecycle} from './lifecycle.ts';
import type {Transitions} from './transitions.ts';

const pageSizeDefault = 50;

export type Bans = ReturnType<typeof createBans>;

/** Identifiers that are never let in: whatever box has one boots its own disk, and its script says why. */
export function createBans({
  sql,
  now,
  newId,
  transitions,
  agentKeys,
}: Deps & {readonly transitions: Transitions; readonly agentKeys: AgentKeys}) {
  async function append(
    tx: Sql,
    type: string,
    {
      ban,
      actor,
      machineId,
    }: {readonly ban: Ban; readonly actor: string; readonly machineId?: string},
  ): Promise<void> {
    const {id, kind, value, reason} = ban;
    await appendEvent(tx, {
      id: newId(),
      time: now(),
      type,
      actor,
      machineId,
      subject: `bans/${id}`,
      data: {kind, value, reason},
      change: type === 'ban.created' ? created(ban) : deleted(ban),
    });
  }

  async function tell(
    tx: Sql,
    type: string,
    event: {readonly actor: string; readonly machineId: string; readonly data: {reason: string}},
  ): Promise<void> {
    const subject = `machines/${event.machineId}`;
    await appendEvent(tx, {id: newId(), time: now(), type, subject, ...event});
  }

  /** Of a machine that has the identifier: nobody speaks for it, and it is turned away where its state allows. */
  async function turnAway(tx: Sql, machineId: string, {actor, reason}: Ban): Promise<void> {
    const machine = await findMachineForUpdate(tx, machineId);
    if (!machine) return;
    if (lifecycle[machine.state].to.includes('rejected'))
      await transitions.transition(tx, {machineId, to: 'rejected', actor, reason: banned(reason)});
    await agentKeys.revokeCurrent(tx, machineId);
    await tell(tx, 'machine.banned', {actor, machineId, data: {reason}});
  }

  async function ban(tx: Sql, {keys, actor, reason, machineId}: NewBan): Promise<readonly Ban[]> {
    const bans: Ban[] = [];
    for (const key of keys) {
      const one = {
        ...key,
        id: newId(),
        actor,
        reason: reason || `banned by ${actor}`,
        createTime: now(),
      };
      if (!(await store.insertBan(tx, one))) continue;
      bans.push(one);
      const about = await store.noteBans(tx, key);
      await append(tx, 'ban.created', {ban: one, actor, ...(machineId ? {machineId} : {})});
      for (const id of about) await turnAway(tx, id, one);
    }
    return bans;
  }

  return {
    /** The ban of any of this evidence. */
    find: (tx: Sql, items: readonly EvidenceItem[]) => store.findBan(tx, {keys: keysOf(items)}),

    /** The same of several lists, asked for at once. */
    async findAll(
      tx: Sql,
      lists: readonly (readonly EvidenceItem[])[],
    ): Promise<readonly (Ban | undefined)[]> {
      const keys = lists.map(keysOf);
      const all = new Map(keys.flat().map(key => [textOf(key), key]));
      const bans = await store.findBansOf(tx, [...all.values()]);
      return keys.map(own => {
        const texts = new Set(own.map(textOf));
        return bans.find(one => texts.has(textOf(one)));
      });
    },

    ofKey: (key: BanKey) => store.findBan(sql, {keys: [key]}),

    /** Newest first. */
    async list({pageSize, pageToken}: {readonly pageSize: number; readonly pageToken: string}) {
      const limit = pageSize || pageSizeDefault;
      const before = parsePageToken(pageToken);
      const rows = await store.listBans(sql, {before, limit: limit + 1});
      const bans = rows.slice(0, limit);
      return {bans, nextPageToken: rows.length > limit ? (bans.at(-1)?.id ?? '') : ''};
    },

    /** Throws invalid_argument for junk, already_exists. */
    create: (actor: string, identifier: string, reason: string): Promise<Ban> =>
      sql.begin(async tx => {
        const key = parseIdentifier(identifier);
        if (!key)
          throw new DomainError(
            'invalid_argument',
            `Cannot ban "${identifier}": it is no MAC address, UUID or serial number that tells one machine from others`,
          );
        const [made] = await ban(tx, {keys: [key], actor, reason});
        if (made) return made;
        throw new DomainError('already_exists', `Cannot ban "${identifier}": it is banned already`);
      }),

    /** Everything that the machine was recognised by. Throws not_found, failed_precondition when nothing is left to ban. */
    banMachine: (actor: string, machineId: string, reason: string): Promise<readonly Ban[]> =>
      sql.begin(async tx => {
        const machine = await findMachineForUpdate(tx, machineId);
        if (!machine) throw new DomainError('not_found', `Cannot find machine "${machineId}"`);
        const keys = keysOf((await listEvidence(tx, machine.id)) as readonly EvidenceItem[]);
        const made = await ban(tx, {keys, actor, reason, machineId: machine.id});
        if (made.length > 0) return made;
        throw new DomainError(
          'failed_precondition',
          keys.length > 0
            ? `Cannot ban machine "${machineId}": all its identifiers are banned already`
            : `Cannot ban machine "${machineId}": it has no identifier that tells it from others`,
        );
      }),

    /** By id or identifier. Throws not_found. */
    delete: (actor: string, name: string): Promise<void> =>
      sql.begin(async tx => {
        const byId = isUuid(name) ? await store.findBan(tx, {id: name}) : undefined;
        const key = parseIdentifier(name);
        const found = byId ?? (key && (await store.findBan(tx, {keys: [key]})));
        if (!found)
          throw new DomainError(
            'not_found',
            `Cannot find a ban of "${name}": "muster machines bans" shows what there is`,
          );
        await store.deleteBan(tx, found.id);
        for (const machineId of await store.noteBans(tx, found))
          await tell(tx, 'machine.unbanned', {actor, machineId, data: {reason: found.reason}});
        await append(tx, 'ban.deleted', {ban: found, actor});
      }),
  };
}

type NewBan = {
  readonly keys: readonly BanKey[];
  readonly actor: string;
  readonly reason: string;
  readonly machineId?: string;
};

/** In the reason of a state, a refusal and a boot script. */
export const banned = (reason: string): string => `It is banned: ${reason}`;

const banKinds: Readonly<Partial<Record<EvidenceItem['kind'], BanKey['kind']>>> = {
  mac: 'mac',
  local_mac: 'mac',
  bmc_mac: 'mac',
  uuid: 'uuid',
  system_serial: 'serial',
};

/** Each once. */
function keysOf(items: readonly EvidenceItem[]): readonly BanKey[] {
  const keys = items.flatMap(({kind, value}) => {
    const banKind = banKinds[kind];
    return banKind ? [{kind: banKind, value}] : [];
  });
  return [...new Map(keys.map(key => [textOf(key), key])).values()];
}

const textOf = ({kind, value}: BanKey): string => `${kind} ${value}`;

export function parseIdentifier(text: string): BanKey | undefined {
  const mac = parseMacAddress(text);
  if (mac) return {kind: 'mac', value: mac};
  const uuid = parseUuid(text);
  if (uuid) return {kind: 'uuid', value: uuid};
  const serial = parseSerial(text);
  return serial ? {kind: 'serial', value: serial} : undefined;
}
