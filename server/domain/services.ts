import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import * as store from '../store/services.ts';
import type {BackendRow, ServiceKind, ServiceRow} from '../store/services.ts';
import type {LiveBuilder} from './build-rules.ts';
import {created, updated} from './changes.ts';
import type {Deps} from './deps.ts';
import {isUuid, parsePageToken} from './ids.ts';
import type {NatsTrust} from './nats-trust.ts';
import {digestCode, makeSecretCode} from './secret-codes.ts';

const joinCodeMs = 15 * 60_000;
/** Services report every 10 s. */
const onlineMs = 30_000;
const pageSizeDefault = 50;
/** A revoked service is believed for so long by servers that did not revoke it themselves. */
const cacheMs = 5000;
const cachedMax = 1000;

export type Services = ReturnType<typeof createServices>;

/** Edges and builders: how they join, prove themselves, report and are turned away. */
export function createServices({sql, now, newId, trust}: Deps & {trust: NatsTrust}) {
  const cache = new Map<string, {readonly service: ServiceRow | undefined; untilMs: number}>();

  async function findLive(id: string): Promise<ServiceRow | undefined> {
    if (!isUuid(id)) return undefined;
    const cached = cache.get(id);
    if (cached && cached.untilMs > now().getTime()) return cached.service;

    const found = await store.findService(sql, id);
    const service = found?.revokeTime ? undefined : found;
    cache.delete(id);
    cache.set(id, {service, untilMs: now().getTime() + cacheMs});
    const [oldest] = cache.keys();
    if (cache.size > cachedMax && oldest !== undefined) cache.delete(oldest);
    return service;
  }

  /** In the transaction that holds the code. */
  async function enrol(tx: Sql, code: store.JoinCodeRow, publicKey: string): Promise<ServiceRow> {
    const {kind, name} = code;
    const row = {id: newId(), kind, name, publicKey, createTime: now()};
    const inserted = await store.insertService(tx, row);
    if (!inserted)
      throw new DomainError(
        'already_exists',
        `Cannot join ${kind} "${name}": a service of that name or key exists; revoke it first`,
      );
    await appendEvent(tx, {
      id: newId(),
      time: now(),
      type: 'service.joined',
      actor: `${kind}:${name}`,
      subject: `services/${inserted.id}`,
      data: {kind, name, publicKey},
      change: created(inserted),
    });
    return inserted;
  }

  return {
    async createJoinCode(actor: string, {kind, name}: {kind: ServiceKind; name: string}) {
      if (await store.hasLiveService(sql, kind, name))
        throw new DomainError(
          'already_exists',
          `Cannot create a join code for ${kind} "${name}": a service of that name exists; revoke it first`,
        );
      const {code, sha256} = makeSecretCode('join');
      const expireTime = new Date(now().getTime() + joinCodeMs);
      await sql.begin(async tx => {
        await store.insertJoinCode(tx, {sha256, kind, name, createTime: now(), expireTime});
        const entry = {id: newId(), time: now(), actor, type: 'service.join_code_created'};
        await appendEvent(tx, {...entry, data: {kind, name}});
      });
      return {code, expireTime};
    },

    /** The same code and key again get the same answer; another key is refused. */
    async join({code, publicKey}: {code: string; publicKey: string}): Promise<ServiceRow> {
      const sha256 = digestCode(code);
      return sql.begin(async tx => {
        const found = await store.lockJoinCode(tx, sha256);
        if (!found)
          throw new DomainError(
            'permission_denied',
            'Cannot join: the code is not known; ask for a new one',
          );
        if (found.serviceId) {
          const service = await store.findService(tx, found.serviceId);
          if (service?.publicKey === publicKey && !service.revokeTime) return service;
          throw new DomainError(
            'permission_denied',
            `Cannot join ${found.kind} "${found.name}": the code was used by another key or its service was revoked`,
          );
        }
        if (found.expireTime <= now())
          throw new DomainError(
            'failed_precondition',
            `Cannot join ${found.kind} "${found.name}": the code is older than 15 minutes; ask for a new one`,
          );
        const service = await enrol(tx, found, publicKey);
        await store.bindJoinCode(tx, sha256, service.id);
        return service;
      });
    },

    /** Newest first; `online` when it was seen within 30 s. */
    async list({pageSize, pageToken}: {pageSize: number; pageToken: string}) {
      const limit = pageSize || pageSizeDefault;
      const before = parsePageToken(pageToken);
      const rows = await store.listServices(sql, {before, limit: limit + 1});
      const services = rows.slice(0, limit).map(row => ({...row, online: isOnline(row, now())}));
      return {services, nextPageToken: rows.length > limit ? (services.at(-1)?.id ?? '') : ''};
    },

    /** Idempotent. Its requests are refused within 5 s on every server, its NATS connection is dropped at once. */
    async revoke(actor: string, id: string): Promise<void> {
      await sql.begin(async tx => {
        if (!(await store.findService(tx, id)))
          throw new DomainError('not_found', `Cannot revoke service "${id}": it does not exist`);
        const service = await store.revokeService(tx, id, now());
        if (!service) return;
        await trust.recordRevocation(tx, service.publicKey);
        await appendEvent(tx, {
          id: newId(),
          time: now(),
          type: 'service.revoked',
          actor,
          subject: `services/${id}`,
          data: {kind: service.kind, name: service.name},
          change: updated({revokeTime: null}, {revokeTime: service.revokeTime}),
        });
      });
      cache.delete(id);
    },

    /** Every 10 s. An event only when something changed. */
    async report(
      serviceId: string,
      {version, backends}: {version: string; backends: readonly BackendRow[]},
    ): Promise<void> {
      const known = await store.findService(sql, serviceId);
      if (!known) return;
      const changed = version !== known.version || !sameBackends(backends, known.backends);
      await sql.begin(async tx => {
        await store.updateServiceReport(tx, serviceId, {version, backends, time: now()});
        if (!changed) return;
        await appendEvent(tx, {
          id: newId(),
          time: now(),
          type: 'service.updated',
          actor: `${known.kind}:${known.name}`,
          subject: `services/${serviceId}`,
          data: {version, backends},
          change: updated(known, {version, backends}),
        });
      });
    },

    async issueCredential(serviceId: string) {
      const service = await findLive(serviceId);
      if (!service)
        throw new DomainError('permission_denied', 'Cannot issue: the service was revoked');
      return trust.issueBuilderCredential({serviceId, publicKey: service.publicKey});
    },

    /** Undefined when it is not known or revoked; up to 5 s old. */
    findLive,

    /** The public key ("U…") that signs the service's tokens; undefined when it is not known or revoked. */
    findServiceKey: async (serviceId: string) => (await findLive(serviceId))?.publicKey,

    /** The same for edges only: nobody else's boot tokens are worth anything. */
    async findEdgeKey(serviceId: string): Promise<string | undefined> {
      const service = await findLive(serviceId);
      return service?.kind === 'edge' ? service.publicKey : undefined;
    },
  };
}

function isOnline({lastSeenTime, revokeTime}: ServiceRow, now: Date): boolean {
  return !revokeTime && lastSeenTime !== null && now.getTime() - lastSeenTime.getTime() < onlineMs;
}

const sameBackends = (a: readonly BackendRow[], b: readonly BackendRow[]) =>
  a.length === b.length &&
  a.every(({name, available, missing}) =>
    b.some(
      other => other.name === name && other.available === available && other.missing === missing,
    ),
  );

/** As it last reported. */
export async function serviceOffers(sql: Sql, id: string, backend: string): Promise<boolean> {
  const service = await store.findService(sql, id);
  return service?.backends.some(({name, available}) => name === backend && available) ?? false;
}

/** What the builders that are online now can and cannot do. */
export async function listLiveBuilders(sql: Sql, now: Date): Promise<readonly LiveBuilder[]> {
  const since = new Date(now.getTime() - onlineMs);
  const builders = await store.listServicesSeenAfter(sql, 'builder', since);
  return builders.map(({name, backends}) => ({builder: name, backends}));
}
