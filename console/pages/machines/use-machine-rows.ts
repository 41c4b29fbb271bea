import {
  type ListMachinesResponse,
  type Machine,
  MachineService,
} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {createClient} from '@connectrpc/connect';
import {useTransport} from '@connectrpc/connect-query';
import {useCallback, useEffect, useMemo, useRef, useState} from 'react';
import {useLiveBatches} from '../../live/live.tsx';
import {pagesReloadedMax, useKeysetRows} from '../../table/use-keyset-rows.ts';
import {rowFields} from './machine-columns.tsx';

/** Few, so that they are there at once; then as many as a fling of the wheel passes while they are on their way. */
const pageRows = 200;
const later = {pageSize: 500, countTotal: false} as const;
/** Conditions of one filter: at most 64 (docs/search.md). */
const patchedMax = 60;
const marginRows = 10;
/** Machines that came or went: a whole list is loaded again no more often than that. */
const reloadMs = 2_000;
const presenceMs = 10_000;

const rowsOf = (page: ListMachinesResponse): readonly Machine[] => page.machines;

/**
 * The machines of a filter, kept current without loading the list again with each event: rows that are on the screen are asked for by id,
 * the others when they are scrolled to.
 */
export function useMachineRows(filter: string, orderBy: string) {
  const input = useMemo(
    () => ({
      filter,
      orderBy,
      pageSize: pageRows,
      countTotal: true,
      readMask: {paths: [...rowFields]},
    }),
    [filter, orderBy],
  );
  const list = useKeysetRows(MachineService.method.listMachines, input, rowsOf, {
    isPatched: true,
    later,
  });
  const {rows, patch, refresh, pageCount} = list;
  const client = useClient();
  const dirty = useRef(new Set<string>());
  const view = useRef<readonly [number, number]>([0, 0]);
  const isBusy = useRef(false);
  const ids = useMemo(() => new Set(rows.map(({id}) => id)), [rows]);
  const [isOutdated, setOutdated] = useState(false);
  useEffect(() => setOutdated(false), [input]);

  const loaded = useRef(rows);
  useEffect(() => {
    loaded.current = rows;
  });
  const patchVisible = useCallback(async () => {
    if (isBusy.current) return;
    isBusy.current = true;
    try {
      for (;;) {
        const [from, to] = view.current;
        const wanted = loaded.current
          .slice(Math.max(0, from - marginRows), to + marginRows)
          .map(({id}) => id)
          .filter(id => dirty.current.has(id))
          .slice(0, patchedMax);
        if (wanted.length === 0) return;
        for (const id of wanted) dirty.current.delete(id);
        const {machines} = await client.listMachines({
          filter: `id = (${wanted.map(id => `"${id}"`).join(' OR ')})`,
          pageSize: patchedMax,
          readMask: {paths: [...rowFields]},
        });
        const fresh = new Map(machines.map(machine => [machine.id, machine]));
        patch(page => ({
          ...page,
          machines: page.machines.map(machine => fresh.get(machine.id) ?? machine),
        }));
      }
    } catch {
      // Shown as it was; the connection's state says why, and the next event tries again.
    } finally {
      isBusy.current = false;
    }
  }, [client, patch]);

  useLiveBatches(({events, missed}) => {
    let isOther = missed;
    for (const {machineId, type} of events) {
      if (machineId === '' || type === 'machine.deleted') isOther ||= type.startsWith('machine.');
      else if (ids.has(machineId)) dirty.current.add(machineId);
      else isOther = true;
    }
    if (isOther) setOutdated(true);
    void patchVisible();
  });

  // Presence changes without an event.
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState !== 'visible') return;
      const [from, to] = view.current;
      for (const {id} of loaded.current.slice(from, to + 1)) dirty.current.add(id);
      void patchVisible();
    }, presenceMs);
    return () => clearInterval(timer);
  }, [patchVisible]);

  // Short lists are loaded again by themselves; long ones say that they could be.
  const isShort = pageCount <= pagesReloadedMax;
  useEffect(() => {
    if (!isOutdated || !isShort) return undefined;
    const timer = setTimeout(() => {
      setOutdated(false);
      refresh();
    }, reloadMs);
    return () => clearTimeout(timer);
  }, [isOutdated, isShort, refresh]);

  const onView = useCallback(
    (from: number, to: number) => {
      view.current = [from, to];
      if (dirty.current.size > 0) void patchVisible();
    },
    [patchVisible],
  );
  return {
    ...list,
    onView,
    isOutdated: isOutdated && !isShort,
    refresh: () => {
      setOutdated(false);
      refresh();
    },
  };
}

function useClient() {
  const transport = useTransport();
  return useMemo(() => createClient(MachineService, transport), [transport]);
}
