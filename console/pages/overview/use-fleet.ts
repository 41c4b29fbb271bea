import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {keepPreviousData} from '@tanstack/react-query';

/** Presence changes without an event. */
const againMs = 15_000;
const distinctValuesMax = 200;

/** How many machines meet a filter; exact up to 1000. */
export function useMachineCount(filter: string) {
  const {data} = useQuery(
    MachineService.method.listMachines,
    {filter, pageSize: 1, countTotal: true, readMask: {paths: ['id']}},
    {refetchInterval: againMs, placeholderData: keepPreviousData},
  );
  return data && {count: Number(data.totalSize), isEstimate: data.totalEstimated};
}

/** Machines by state, as the filter language names states: "active" → 12. */
export function useStateCounts() {
  const {data, error, refetch} = useQuery(
    MachineService.method.listMachineFacets,
    {fields: ['state'], valuesMax: distinctValuesMax},
    {refetchInterval: againMs, placeholderData: keepPreviousData},
  );
  const values = data?.facets[0]?.values;
  const counts = values && new Map(values.map(({value, count}) => [value, Number(count)]));
  return {counts, error, refetch};
}

export type Capacity = {
  readonly cpuThreads: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  /** There are more different sizes than were counted: it is at least so much. */
  readonly isLeast: boolean;
};

const sizes = ['hardware.cpu_threads', 'hardware.memory_bytes', 'hardware.disk_bytes'] as const;

/** What the machines of a filter have together: how many have which size, times the size. */
export function useCapacity(filter: string): Capacity | undefined {
  const {data} = useQuery(
    MachineService.method.listMachineFacets,
    {filter, fields: [...sizes], valuesMax: distinctValuesMax},
    {staleTime: 60_000, placeholderData: keepPreviousData},
  );
  if (!data) return undefined;
  const sum = (field: string) =>
    (data.facets.find(facet => facet.field === field)?.values ?? []).reduce(
      (total, {value, count}) => total + Number(value) * Number(count),
      0,
    );
  return {
    cpuThreads: sum('hardware.cpu_threads'),
    memoryBytes: sum('hardware.memory_bytes'),
    diskBytes: sum('hardware.disk_bytes'),
    isLeast: data.facets.some(({more}) => more),
  };
}
