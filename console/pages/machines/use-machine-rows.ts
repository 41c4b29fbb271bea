import {
  type ListMachinesResponse,
  MachineService,
} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {type Client, ConnectError, createClient} from '@connectrpc/connect';
import {useTransport} from '@connectrpc/connect-query';
import {useQueryClient} from '@tanstack/react-query';
import {useCallback, useEffect, useMemo, useState} from 'react';
import {patiently} from '../../api/patiently.ts';
import {useLiveBatches} from '../../live/live.tsx';
import type {PagePlace} from '../../table/row-pages.ts';
import {useRowPages} from '../../table/use-row-pages.ts';
import {rowFields} from './machine-columns.tsx';
import {useRowPatches} from './use-row-patches.ts';

/** Shorter lists are loaded again by themselves; longer ones say that they could be, so that nothing jumps under the eyes of a reader. */
const reloadedRowsMax = 700;
/** Machines that came or went: a whole list is loaded again no more often than that. */
const reloadMs = 2_000;
/** At most 1000 (machines.proto). */
const idsPerCall = 1000;
const readMask = {paths: [...rowFields]};

/** What happens to machines without one more or one less. */
const staying: ReadonlySet<string> = new Set(
  'updated labelled booted command_requested command_finished rule_applied provisioning ready active failed'
    .split(' ')
    .map(word => `machine.${word}`),
);

type Head = Pick<ListMachinesResponse, 'totalSize' | 'totalEstimated' | 'similar'>;

/**
 * The machines of a filter, kept current without loading the list again with each event: rows that are on the screen are asked for by id,
 * the others when they are scrolled to.
 */
export function useMachineRows(filter: string, orderBy: string) {
  const transport = useTransport();
  const client = useMemo(() => createClient(MachineService, transport), [transport]);
  const {head, onHead, countBefore} = useHead({filter, orderBy});
  const load = useLoad(client, {filter, orderBy, onHead});
  const {pages, shown, isOld} = useRowPages(load, countBefore);
  const {onView, touch} = useRowPatches(client, pages);
  const [isOutdated, setOutdated] = useState(false);
  useEffect(() => setOutdated(false), [load]);

  const refresh = useCallback(() => {
    setOutdated(false);
    pages.reload();
  }, [pages]);

  useLiveBatches(({events, missed}) => {
    // After a break it may go better.
    if (missed && pages.error() !== undefined) return refresh();
    let isOther = missed;
    const known = new Set(
      pages
        .source()
        .loadedRows()
        .map(({id}) => id),
    );
    const touched: string[] = [];
    for (const {machineId, type} of events) {
      if (known.has(machineId) && type !== 'machine.deleted') touched.push(machineId);
      else
        isOther ||=
          filter === '' ? type.startsWith('machine.') && !staying.has(type) : machineId !== '';
    }
    if (isOther) setOutdated(true);
    touch(touched);
  });

  const source = shown.source();
  const isShort = source.count <= reloadedRowsMax;
  useEffect(() => {
    if (!isOutdated || !isShort) return undefined;
    const timer = setTimeout(refresh, reloadMs);
    return () => clearTimeout(timer);
  }, [isOutdated, isShort, refresh]);

  const error = pages.error();
  return {
    source,
    head,
    error: error === undefined ? null : ConnectError.from(error),
    isLoading: isOld || (!pages.isReady() && error === undefined),
    isOutdated: isOutdated && !isShort,
    onView,
    refresh,
    idsBetween: useIdsBetween(client, {filter, orderBy}),
  };
}

type Question = {readonly filter: string; readonly orderBy: string};

/** What the first page told; kept for whoever comes back. */
function useHead({filter, orderBy}: Question) {
  const queryClient = useQueryClient();
  const [head, setHead] = useState<Head>();
  const onHead = useCallback(
    (head: Head) => {
      setHead(head);
      queryClient.setQueryData(['count of machines', filter, orderBy], Number(head.totalSize));
    },
    [queryClient, filter, orderBy],
  );
  const countBefore = useCallback(
    () => queryClient.getQueryData<number>(['count of machines', filter, orderBy]),
    [queryClient, filter, orderBy],
  );
  return {head, onHead, countBefore};
}

function useLoad(
  client: Client<typeof MachineService>,
  {filter, orderBy, onHead}: Question & {readonly onHead: (head: Head) => void},
) {
  return useCallback(
    async ({isFirst, ...place}: PagePlace, signal: AbortSignal) => {
      const counts = {countTotal: isFirst, exactTotal: isFirst};
      const request = {filter, orderBy, ...place, ...counts, readMask};
      const page = await patiently(() => client.listMachines(request, {signal}), signal);
      if (isFirst && !signal.aborted) onHead(page);
      return {
        rows: page.machines,
        nextPageToken: page.nextPageToken,
        total: isFirst ? Number(page.totalSize) : undefined,
      };
    },
    [client, filter, orderBy, onHead],
  );
}

/** Of a range of which some rows are not loaded. */
function useIdsBetween(client: Client<typeof MachineService>, {filter, orderBy}: Question) {
  return useCallback(
    async (from: number, to: number): Promise<readonly string[]> => {
      const ids: string[] = [];
      const question = {filter, orderBy, readMask: {paths: ['id']}};
      let pageToken = '';
      do {
        const pageSize = Math.min(to + 1 - from - ids.length, idsPerCall);
        const skip = ids.length === 0 ? from : 0;
        const page = await client.listMachines({...question, pageSize, pageToken, skip});
        ids.push(...page.machines.map(({id}) => id));
        pageToken = page.nextPageToken;
      } while (pageToken !== '' && ids.length < to + 1 - from);
      return ids;
    },
    [client, filter, orderBy],
  );
}
