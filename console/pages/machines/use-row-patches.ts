import type {Machine, MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import type {Client} from '@connectrpc/connect';
import {useCallback, useEffect, useRef} from 'react';
import type {RowPages} from '../../table/row-pages.ts';
import {rowFields} from './machine-columns.tsx';

/** Conditions of one filter: at most 64 (docs/search.md). */
const patchedMax = 60;
const marginRows = 10;
const presenceMs = 10_000;

/** Keeps the rows on the screen current, by asking for those that changed; the others when they are scrolled to. */
export function useRowPatches(client: Client<typeof MachineService>, pages: RowPages<Machine>) {
  const dirty = useRef(new Set<string>());
  const view = useRef<readonly [number, number]>([0, 0]);
  const isBusy = useRef(false);

  const patchVisible = useCallback(async () => {
    if (isBusy.current) return;
    isBusy.current = true;
    try {
      for (;;) {
        const ids = dirtyBetween(pages, dirty.current, view.current);
        if (ids.length === 0) return;
        for (const id of ids) dirty.current.delete(id);
        const {machines} = await client.listMachines({
          filter: `id = (${ids.map(id => `"${id}"`).join(' OR ')})`,
          pageSize: patchedMax,
          readMask: {paths: [...rowFields]},
        });
        const fresh = new Map(machines.map(machine => [machine.id, machine]));
        pages.patch(machine => fresh.get(machine.id) ?? machine);
      }
    } catch {
      // Shown as it was; the connection's state says why, and the next event tries again.
    } finally {
      isBusy.current = false;
    }
  }, [client, pages]);

  const touch = useCallback(
    (ids: Iterable<string>) => {
      for (const id of ids) dirty.current.add(id);
      void patchVisible();
    },
    [patchVisible],
  );
  const onView = useCallback(
    (from: number, to: number) => {
      view.current = [from, to];
      pages.want(from, to);
      if (dirty.current.size > 0) void patchVisible();
    },
    [pages, patchVisible],
  );

  // Presence changes without an event.
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') touch(idsBetween(pages, view.current));
    }, presenceMs);
    return () => clearInterval(timer);
  }, [pages, touch]);
  return {onView, touch};
}

function idsBetween(
  pages: RowPages<Machine>,
  [from, to]: readonly [number, number],
): readonly string[] {
  const {rowAt} = pages.source();
  return Array.from({length: to + 1 - from}, (_, offset) => rowAt(from + offset)?.id ?? '').filter(
    id => id !== '',
  );
}

const dirtyBetween = (
  pages: RowPages<Machine>,
  dirty: ReadonlySet<string>,
  [from, to]: readonly [number, number],
): readonly string[] =>
  idsBetween(pages, [Math.max(0, from - marginRows), to + marginRows])
    .filter(id => dirty.has(id))
    .slice(0, patchedMax);
