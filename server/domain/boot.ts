import type {Logger} from '@muster/runtime/log.ts';
import {DomainError} from '../errors.ts';
import {clearOverride, findExpiredOverrides, noEntry, noOverride} from '../store/boot-overrides.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent, type Change} from '../store/events.ts';
import {holdImage} from '../store/image-collection.ts';
import {
  type BootAction,
  findMachine,
  findMachineForUpdate,
  findMachinesByKey,
  type Machine,
  type MachineChange,
  updateMachine,
} from '../store/machines.ts';
import type {AcceptancePolicy} from './acceptance.ts';
import {type Bans, parseIdentifier} from './bans.ts';
import {subjectOf} from './boot-book.ts';
import {
  type BootDecision,
  decideBannedBoot,
  decideBoot,
  decideUnknownBoot,
  type Verdict,
} from './boot-decision.ts';
import type {BootImage, BootImages} from './boot-images.ts';
import type {BootClient} from './boot-sessions.ts';
import {updated} from './changes.ts';
import type {Deps} from './deps.ts';
import {parseMacAddress} from './identifiers.ts';
import {evidenceItems} from './identity.ts';
import {isUuid} from './ids.ts';
import {createRateLimit} from './rate-limit.ts';
import {evidenceOf, type Sightings} from './sightings.ts';
import {createTurnstile} from './turnstile.ts';

/** While no boot has asked for it. */
const overrideUnusedMs = 24 * 3_600_000;
/** Once a boot was given it: time for its hello to come. */
const overrideGivenMs = 30 * 60_000;
/** No agent says hello from a local disk: a later boot is another boot. */
const overrideWithoutHelloMs = 10 * 60_000;
const requestsPerMinuteMax = 60;
/** Of 20 connections to PostgreSQL; an edge gives up after 2 s, and its machine asks again. */
const sightingsAtOnceMax = 4;
const sightingsWaitingMax = 64;
const sightingWaitMsMax = 1000;
const sameKeyMax = 10;
const expiredMax = 100;

export type Boot = ReturnType<typeof createBoot>;

export type Resolution = {
  readonly machine: Machine | undefined;
  readonly decision: BootDecision;
  readonly image: BootImage | undefined;
};

/** What a machine boots, asked one by one: for strangers, for overrides, and for people who want to know why. */
export function createBoot({
  sql,
  now,
  newId,
  policy,
  images,
  sightings,
  bans,
  log,
}: Deps & {
  readonly policy: AcceptancePolicy;
  readonly images: BootImages;
  readonly sightings: Sightings;
  readonly bans: Pick<Bans, 'find' | 'ofKey'>;
  readonly log: Logger;
}) {
  const turnstile = createTurnstile({
    what: 'answer a boot request',
    atOnceMax: sightingsAtOnceMax,
    waitingMax: sightingsWaitingMax,
    waitMsMax: sightingWaitMsMax,
  });
  const limit = createRateLimit({perMinuteMax: requestsPerMinuteMax, keysMax: 50_000, now});

  const unknown = async (): Promise<Verdict> =>
    decideUnknownBoot(policy, await images.findRegistration());

  /** Of a box that nobody has a record of. */
  async function bannedVerdict(name: string): Promise<Verdict | undefined> {
    const key = parseIdentifier(name);
    const ban = key && (await bans.ofKey(key));
    if (!ban) return undefined;
    const decision = decideBannedBoot(ban.reason);
    return {decision, considered: [`Ban: decides local disk. ${decision.reason}`]};
  }

  async function decide(machine: Machine): Promise<Verdict> {
    return decideBoot(subjectOf(machine, policy, now()), await images.findRegistration());
  }

  async function append(
    tx: Sql,
    type: string,
    machineId: string,
    rest: {actor: string; data: object; change: Change},
  ) {
    const subject = `machines/${machineId}`;
    const data = {...rest.data};
    await appendEvent(tx, {
      id: newId(),
      time: now(),
      type,
      actor: rest.actor,
      machineId,
      subject,
      data,
      change: rest.change,
    });
  }

  /** The first request of a boot session ties the override to it; none uses it up. */
  async function give(machineId: string, session: string): Promise<Machine | undefined> {
    return sql.begin(async tx => {
      const machine = await findMachineForUpdate(tx, machineId);
      const {overrideAction, overrideExpireTime, overrideSession} = machine ?? {};
      if (!machine || !overrideAction || !overrideExpireTime || !session) return machine;
      if (overrideExpireTime <= now() || overrideSession === session) return machine;
      const saysHello = overrideAction === 'image' || overrideAction === 'registration';
      const latest = now().getTime() + (saysHello ? overrideGivenMs : overrideWithoutHelloMs);
      // A second boot does not make its time longer.
      const expiry = new Date(Math.min(latest, overrideExpireTime.getTime()));
      const change = {overrideSession: session, overrideExpireTime: expiry};
      await updateMachine(tx, machineId, change);
      return {...machine, ...change};
    });
  }

  async function sight(client: BootClient, actor: string): Promise<Machine | string | undefined> {
    if (evidenceItems(evidenceOf(client)).length === 0)
      return 'It sent nothing that identifies a machine';
    if (!limit.allow(client.macAddresses[0] ?? client.uuid)) {
      log.warn({macs: client.macAddresses, ip: client.ipAddress}, 'boot requests too frequent');
      throw new DomainError(
        'resource_exhausted',
        `Cannot answer more than ${requestsPerMinuteMax} boot requests a minute of one machine`,
      );
    }
    try {
      return await turnstile.pass(() => sightings.ofBoot(client, actor));
    } catch (error) {
      if (!(error instanceof DomainError) || error.kind !== 'resource_exhausted') throw error;
      log.warn({err: error, macs: client.macAddresses}, 'a new machine is not recorded');
      return undefined;
    }
  }

  return {
    /** For edges. Records the sighting. Throws resource_exhausted when one machine asks too often. */
    async resolve(client: BootClient, actor: string): Promise<Resolution> {
      const ban = await bans.find(sql, evidenceItems(evidenceOf(client)));
      if (ban)
        return {machine: undefined, decision: decideBannedBoot(ban.reason), image: undefined};
      const seen = await sight(client, actor);
      if (seen === undefined || typeof seen === 'string') {
        const {decision} = await unknown();
        const reason = seen ? `${seen}. ${decision.reason}` : decision.reason;
        return {machine: undefined, decision: {...decision, reason}, image: undefined};
      }
      const machine = seen.overrideAction ? ((await give(seen.id, client.session)) ?? seen) : seen;
      const {decision} = await decide(machine);
      const [image] = decision.imageId ? await images.find([decision.imageId]) : [];
      return {machine, decision, image};
    },

    /** By id, serial, UUID or MAC, also of machines that nobody knows. */
    async explain(name: string): Promise<Verdict & {readonly machineId: string | undefined}> {
      const byId = isUuid(name) ? await findMachine(sql, name) : undefined;
      const key = {text: name.trim(), mac: parseMacAddress(name)};
      const found = byId ? [byId] : await findMachinesByKey(sql, key, sameKeyMax);
      const [machine, ...others] = found;
      if (!machine)
        return {machineId: undefined, ...((await bannedVerdict(name)) ?? (await unknown()))};
      if (others.length === 0) return {machineId: machine.id, ...(await decide(machine))};
      const ids = found.map(({id}) => `"${id}"`).join(', ');
      const {decision, considered} = await unknown();
      return {
        machineId: undefined,
        decision,
        considered: [
          `Key "${name}": names ${found.length} machines (${ids}) and so none; a boot request is decided by its UUID and MACs together`,
          ...considered,
        ],
      };
    },

    /** For the next boot, or for all boots (a boot entry). Throws not_found or invalid_argument. */
    async setOverride(
      actor: string,
      machineId: string,
      {action, imageId, persistent}: {action: BootAction; imageId: string; persistent: boolean},
    ): Promise<BootDecision> {
      const wanted = action === 'image' ? imageId : undefined;
      const machine = await sql.begin(async tx => {
        const found = await findMachineForUpdate(tx, machineId);
        if (wanted !== undefined && !(await holdImage(tx, wanted)))
          throw new DomainError(
            'not_found',
            `Cannot boot image "${wanted}": there is no such image`,
          );
        if (!found) throw new DomainError('not_found', `Cannot find machine "${machineId}"`);
        const change = persistent
          ? {
              entryAction: action,
              entryImageId: wanted,
              entryActor: actor,
              entryTime: now(),
            }
          : {
              overrideAction: action,
              overrideActor: actor,
              overrideTime: now(),
              overrideImageId: wanted,
              overrideExpireTime: new Date(now().getTime() + overrideUnusedMs),
              overrideSession: undefined,
            };
        await updateMachine(tx, machineId, {...change, updateTime: now()});
        const data = {action, ...(wanted ? {imageId: wanted} : {}), persistent};
        await append(tx, 'boot_override.set', machineId, {
          actor,
          data,
          change: updated(found, withoutActor(change)),
        });
        return {...found, ...change};
      });
      return (await decide(machine)).decision;
    },

    clearOverride: (actor: string, machineId: string, persistent: boolean): Promise<void> =>
      sql.begin(async tx => {
        const found = await findMachineForUpdate(tx, machineId);
        if (!found) throw new DomainError('not_found', `Cannot find machine "${machineId}"`);
        if (!(persistent ? found.entryAction : found.overrideAction)) return;
        const change = updated(found, withoutActor(persistent ? noEntry : noOverride));
        if (persistent) await updateMachine(tx, machineId, noEntry);
        else await clearOverride(tx, machineId);
        await append(tx, 'boot_override.cleared', machineId, {actor, data: {persistent}, change});
      }),

    /** The boot that was given the override has said hello: it is used up. */
    async consumeOverride(tx: Sql, machine: Machine, session: string): Promise<void> {
      if (!machine.overrideAction || machine.overrideSession !== session || !session) return;
      await clearOverride(tx, machine.id);
      const data = {action: machine.overrideAction, session};
      const change = updated(machine, withoutActor(noOverride));
      await append(tx, 'boot_override.consumed', machine.id, {
        actor: `agent:${machine.id}`,
        data,
        change,
      });
    },

    /** Ends overrides whose time is over. */
    expireOverrides: (): Promise<void> =>
      sql.begin(async tx => {
        for (const id of await findExpiredOverrides(tx, now(), expiredMax)) {
          await clearOverride(tx, id);
          await append(tx, 'boot_override.expired', id, {
            actor: 'system',
            data: {},
            change: {after: {overrideAction: null}},
          });
        }
      }),
  };
}

/** The journal has its own: who decided may have been somebody of another workspace. */
function withoutActor(change: MachineChange): MachineChange {
  const {
    overrideActor: _,
    overrideTime: _time,
    entryActor: _of,
    entryTime: _since,
    ...rest
  } = change;
  return rest;
}
