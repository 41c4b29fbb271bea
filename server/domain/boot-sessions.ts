import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import * as store from '../store/boot-sessions.ts';
import type {BootHop, BootHopKind, BootSession} from '../store/boot-sessions.ts';
import {artifactsOf, type BootImages} from './boot-images.ts';
import type {Deps} from './deps.ts';
import {parseMacAddress} from './identifiers.ts';
import type {IdentifyClient} from './sightings.ts';

/** What a boot request says about its sender; nothing of it is trusted. */
export type BootClient = {
  readonly macAddresses: readonly string[];
  readonly uuid: string;
  readonly serial: string;
  readonly ipAddress: string;
  readonly platform: string;
  readonly manufacturer: string;
  readonly product: string;
  /** The boot session as the edge numbered it. */
  readonly session: string;
};

export type SeenHop = {
  readonly id: string;
  readonly kind: BootHopKind;
  readonly time: Date;
  readonly session: string;
  readonly client: BootClient;
  readonly detail: string;
  readonly bytes: number;
  readonly complete: boolean;
  readonly imageId: string;
};

const hopsOfSessionMax = 500;
const strangersPerHourMax = 2000;
const hourMs = 3_600_000;
/** An edge with a wrong clock does not write history. */
const clockErrorMsMax = 24 * hourMs;

export type BootSessions = ReturnType<typeof createBootSessions>;

/** The timeline of every boot: hops come from edges, the end from the agent. */
export function createBootSessions({
  sql,
  now,
  newId,
  images,
  identifyClient,
}: Deps & {readonly images: BootImages; readonly identifyClient: IdentifyClient}) {
  async function append(tx: Sql, session: BootSession, event: 'opened' | 'stalled' | 'ended') {
    const {id, machineId, macAddress, edgeSession, imageId} = session;
    await appendEvent(tx, {
      id: newId(),
      time: now(),
      type: `boot_session.${event}`,
      actor: 'system',
      machineId,
      subject: `boot-sessions/${id}`,
      data: {macAddress, session: edgeSession, ...(imageId ? {imageId} : {})},
    });
  }

  /** Undefined when strangers have opened too many already. The caller holds the session's lock. */
  async function open(tx: Sql, edgeSession: string, hop: {client: BootClient; time: Date}) {
    const {client} = hop;
    const macAddress = firstMac(client);
    const known = await store.findBootSessions(tx, edgeSession);
    const same =
      known.find(session => session.macAddress === macAddress) ??
      known.find(session => session.macAddress === '') ??
      (macAddress === '' && known.length === 1 ? known[0] : undefined);
    if (same) return same;

    const machineId = await identifyClient(tx, client);
    const since = new Date(now().getTime() - hourMs);
    if (!machineId && (await store.countStrangersSince(tx, since)) >= strangersPerHourMax)
      return undefined;
    const session: BootSession = {
      id: newId(),
      edgeSession,
      macAddress,
      machineId,
      uuid: client.uuid,
      serial: client.serial,
      ipAddress: client.ipAddress,
      platform: client.platform,
      state: 'open',
      imageId: undefined,
      hopCount: 0,
      fetchTime: undefined,
      judged: false,
      startTime: hop.time,
      heardTime: now(),
      endTime: undefined,
    };
    await store.insertBootSession(tx, session);
    await append(tx, session, 'opened');
    return session;
  }

  /** Adds hops of one session; gives the number that were new. */
  async function record(tx: Sql, edgeSession: string, seen: readonly SeenHop[]): Promise<number> {
    const [first] = seen;
    if (!first) return 0;
    await store.lockBootSession(tx, edgeSession);
    const session = await open(tx, edgeSession, {
      client: fullest(seen),
      time: plausible(first.time),
    });
    if (!session || session.hopCount >= hopsOfSessionMax) return 0;

    const hops = seen
      .slice(0, hopsOfSessionMax - session.hopCount)
      .map(hop => toHop(hop, session.id, plausible(hop.time)));
    const fresh = new Set(await store.insertBootHops(tx, hops));
    if (fresh.size === 0) return 0;
    const added = hops.filter(({id}) => fresh.has(id));
    await store.updateBootSession(tx, session.id, await changed(tx, session, added, fullest(seen)));
    return fresh.size;
  }

  async function changed(
    tx: Sql,
    session: BootSession,
    added: readonly BootHop[],
    client: BootClient,
  ): Promise<Partial<BootSession>> {
    const imageId = added.findLast(hop => hop.imageId)?.imageId ?? session.imageId;
    const machineId = session.machineId ?? (await identifyClient(tx, client));
    const starts = [session.startTime, ...added.map(({time}) => time)].map(time => time.getTime());
    return {
      machineId,
      imageId,
      macAddress: session.macAddress || firstMac(client),
      uuid: session.uuid || client.uuid,
      serial: session.serial || client.serial,
      ipAddress: session.ipAddress || client.ipAddress,
      platform: session.platform || client.platform,
      // A hop after a long silence: the boot was slow, not dead.
      ...(session.state === 'stalled' ? {state: 'open', endTime: undefined} : {}),
      hopCount: session.hopCount + added.length,
      fetchTime: session.fetchTime ?? (await fetchedAt(tx, session.id, imageId)),
      startTime: new Date(Math.min(...starts)),
      heardTime: now(),
    };
  }

  /** When the last file of the image was fetched completely; undefined while one is missing. */
  async function fetchedAt(tx: Sql, sessionId: string, imageId: string | undefined) {
    const [image] = imageId ? await images.find([imageId], tx) : [];
    if (!image) return undefined;
    const hops = await store.listBootHops(tx, [sessionId]);
    const whole = hops.filter(
      hop => hop.complete && (hop.imageId === undefined || hop.imageId === imageId),
    );
    // "initrd.zst 200"; a file that images share names no image.
    const names = new Set(whole.map(({detail}) => detail.split(' ')[0]));
    return artifactsOf(image).every(({name}) => names.has(name)) ? now() : undefined;
  }

  function plausible(time: Date): Date {
    return Math.abs(time.getTime() - now().getTime()) > clockErrorMsMax ? now() : time;
  }

  return {
    /** From edges. Idempotent by hop id; hops of one session stay in one transaction. */
    async report(hops: readonly SeenHop[]): Promise<number> {
      const bySession = Map.groupBy(
        hops.filter(({session}) => session !== ''),
        ({session, client}) => JSON.stringify([session, firstMac(client)]),
      );
      let added = 0;
      for (const group of bySession.values()) {
        const session = group[0]?.session ?? '';
        added += await sql.begin(tx => record(tx, session, group));
      }
      return added;
    },

    /** For steps that the server itself sees: the client is the machine, as it says. */
    async recordOwn(
      tx: Sql,
      kind: 'enrolled' | 'hello',
      client: BootClient,
      imageId: string | undefined,
    ): Promise<void> {
      if (!client.session) return;
      const hop = {id: newId(), kind, time: now(), session: client.session, client};
      await record(tx, client.session, [
        {...hop, detail: '', bytes: 0, complete: true, imageId: imageId ?? ''},
      ]);
    },

    /** Undefined when no session has this number and one of these MACs. */
    async find(tx: Sql, edgeSession: string, macAddresses: readonly string[]) {
      if (!edgeSession) return undefined;
      const sessions = await store.findBootSessions(tx, edgeSession);
      return sessions.find(({macAddress}) => macAddresses.includes(macAddress));
    },

    /** The hello came: its session of this machine is over, and its image has passed. */
    async complete(tx: Sql, session: BootSession, machineId: string): Promise<void> {
      if (session.state === 'completed') return;
      const change = {state: 'completed', judged: true, machineId, endTime: now()} as const;
      await store.updateBootSession(tx, session.id, change);
      await append(tx, {...session, machineId}, 'ended');
    },

    /** Silence ended these. */
    async stall(tx: Sql, session: BootSession): Promise<void> {
      await store.updateBootSession(tx, session.id, {state: 'stalled', endTime: now()});
      await append(tx, session, 'stalled');
    },
  };
}

function firstMac(client: BootClient): string {
  return client.macAddresses.map(parseMacAddress).find(mac => mac !== undefined) ?? '';
}

/** The hop that says most about its sender. */
function fullest(hops: readonly SeenHop[]): BootClient {
  const clients = hops.map(({client}) => client);
  const words = (client: BootClient) =>
    [client.uuid, client.serial, client.platform, ...client.macAddresses].filter(Boolean).length;
  return clients.reduce((best, client) => (words(client) > words(best) ? client : best));
}

function toHop(hop: SeenHop, sessionId: string, time: Date): BootHop {
  const {id, kind, detail, bytes, complete, imageId, client} = hop;
  return {
    id,
    sessionId,
    kind,
    time,
    ipAddress: client.ipAddress,
    detail,
    bytes,
    complete,
    imageId: imageId || undefined,
  };
}
