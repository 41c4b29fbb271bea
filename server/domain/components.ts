import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import * as store from '../store/components.ts';
import type {Component, ComponentKey, ComponentStay} from '../store/components.ts';
import type {Deps} from './deps.ts';
import {identityOf, type Part, type PartKind, partKinds} from './hardware-parts.ts';
import {parseMacAddress, parseSerial} from './identifiers.ts';
import {badPageToken, isUuid} from './ids.ts';

const pageSizeDefault = 50;
const pathMax = 1000;
const sameSerialMax = 10;
/** Of one machine: a report that invents serials fills no table. */
const trackedOfMachineMax = 2048;
const endedStaysOfMachineMax = 4096;

/** The system is the machine itself, and firmware is not taken out. */
const untracked: ReadonlySet<PartKind> = new Set(['system', 'firmware', 'memory']);

export type Components = ReturnType<typeof createComponents>;

/** Parts with a usable serial, and their way through machines. */
export function createComponents({sql, now, newId}: Deps) {
  return {
    /** In the transaction that keeps a version: these parts are in the machine, and no other. */
    async place(
      tx: Sql,
      machineId: string,
      {parts, time}: {readonly parts: readonly Part[]; readonly time: Date},
    ): Promise<void> {
      const tracked = parts
        .filter(({kind, serial}) => serial !== '' && !untracked.has(kind))
        .slice(0, trackedOfMachineMax)
        .sort((a, b) => (identityOf(a) < identityOf(b) ? -1 : 1));
      const slots = new Map(tracked.map(part => [identityOf(part), part.slot]));
      const keys = tracked.map(({kind, serial, model}) => ({kind, serial, model}));
      const components = await store.lockComponents(tx, keys, {newId, createTime: time});
      const wanted = new Map(
        components.map(component => [component.id, slots.get(identityOf(component)) ?? '']),
      );
      const places = await store.listPlaces(tx, machineId);
      const settled = new Set(
        places.flatMap(({componentId, slot}) =>
          wanted.get(componentId) === slot ? [componentId] : [],
        ),
      );
      const leaving = places.map(({componentId}) => componentId).filter(id => !settled.has(id));
      const coming = [...wanted].filter(([id]) => !settled.has(id));
      if (leaving.length === 0 && coming.length === 0) return;

      const isNew = new Set(components.flatMap(component => (component.isNew ? component.id : [])));
      const ids = new Set([...leaving, ...coming.map(([id]) => id).filter(id => !isNew.has(id))]);
      const left = await store.endStays(tx, [...ids], time);
      const stays = coming.map(([componentId, slot]) => ({componentId, slot}));
      await store.insertStays(tx, machineId, stays, time);
      if (left.length > 0) await store.deleteSurplusStays(tx, machineId, endedStaysOfMachineMax);

      const byId = new Map(components.map(component => [component.id, component]));
      for (const {componentId, machineId: from} of left) {
        const component = byId.get(componentId);
        if (from !== machineId && component) await tellMove(tx, component, {from, to: machineId});
      }
    },

    /** By kind, serial and model. `pageSize` 0 is 50. */
    async list(request: {
      readonly kind: string;
      readonly machineId: string | undefined;
      readonly serial: string;
      readonly pageSize: number;
      readonly pageToken: string;
    }) {
      const limit = request.pageSize || pageSizeDefault;
      const components = await store.listComponents(sql, {
        kind: request.kind,
        machineId: request.machineId,
        serialPrefix: canonicalPrefix(request.serial),
        after: decodeKey(request.pageToken),
        limit: limit + 1,
      });
      const last = components.length > limit ? components[limit - 1] : undefined;
      return {components: components.slice(0, limit), nextPageToken: last ? encodeKey(last) : ''};
    },

    /** By id, or by a serial that names one component only; with its path. */
    async get(name: string): Promise<{component: Component; path: readonly ComponentStay[]}> {
      const component = await find(name);
      return {component, path: await store.listStays(sql, component.id, pathMax)};
    },
  };

  async function find(name: string): Promise<Component> {
    const byId = isUuid(name) ? await store.findComponent(sql, name) : undefined;
    if (byId) return byId;
    const serials = [parseSerial(name), parseMacAddress(name), name.trim().toLowerCase()];
    const [found, ...others] = await store.findComponentsBySerial(
      sql,
      serials.filter(serial => serial !== undefined),
      sameSerialMax,
    );
    if (!found)
      throw new DomainError(
        'not_found',
        `Cannot find component "${name}": no machine has reported a part with this serial`,
      );
    if (others.length === 0) return found;
    const all = [found, ...others].map(({id, kind, model}) => `"${id}" (${kind} ${model})`);
    throw new DomainError(
      'failed_precondition',
      `Cannot tell which component "${name}" is: use one of the ids ${all.join(', ')}`,
    );
  }

  async function tellMove(
    tx: Sql,
    {id, kind, serial, model}: ComponentKey & {readonly id: string},
    {from, to}: {readonly from: string; readonly to: string},
  ): Promise<void> {
    await appendEvent(tx, {
      id: newId(),
      time: now(),
      type: 'component.moved',
      actor: `agent:${to}`,
      machineId: to,
      subject: `components/${id}`,
      data: {kind, serial, model, from, to},
    });
  }
}

/** Serials are upper case, but for MACs and hashes. */
function canonicalPrefix(text: string): string {
  const trimmed = text.trim();
  const isLower =
    /^[0-9a-f]{2}([:-][0-9a-f]{2})+$/i.test(trimmed) || /^[0-9a-f]{64}$/i.test(trimmed);
  return isLower ? trimmed.toLowerCase().replaceAll('-', ':') : trimmed.toUpperCase();
}

const encodeKey = ({kind, serial, model}: ComponentKey): string =>
  Buffer.from(JSON.stringify([kind, serial, model])).toString('base64url');

function decodeKey(token: string): ComponentKey | undefined {
  if (token === '') return undefined;
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (Array.isArray(parsed) && parsed.length === 3) {
      const [kind, serial, model] = parsed as readonly unknown[];
      const isKind = partKinds.some(name => name === kind);
      if (isKind && typeof serial === 'string' && typeof model === 'string')
        return {kind: String(kind), serial, model};
    }
  } catch {
    // What is no JSON is no page token either.
  }
  throw badPageToken(token);
}
