import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import type {ConnectError} from '@connectrpc/connect';
import {skipToken, useQuery} from '@connectrpc/connect-query';
import {useCallback, useMemo, useState} from 'react';
import {FilterBar} from '../../table/FilterBar.tsx';

type MachineFilterProps = {
  readonly filter: string;
  readonly onFilter: (filter: string) => void;
  readonly error: ConnectError | null | undefined;
};

/** A filter of machines above a list, with values of the fleet as it is. */
export function MachineFilter({filter, onFilter, error}: MachineFilterProps) {
  const {data} = useQuery(MachineService.method.listMachineFields, {}, {staleTime: Infinity});
  const [field, setField] = useState('');
  const {data: facets} = useQuery(
    MachineService.method.listMachineFacets,
    field === '' ? skipToken : {fields: [field], valuesMax: 50},
    {staleTime: 60_000},
  );
  const fields = useMemo(() => data?.fields ?? [], [data]);
  const values = useMemo(
    () => (facets?.facets[0]?.values ?? []).map(({value}) => value).filter(Boolean),
    [facets],
  );
  const canCount = useCallback(
    (name: string) =>
      name.startsWith('labels.') || fields.some(field => field.name === name && field.facet),
    [fields],
  );
  return (
    <FilterBar
      value={filter}
      onChange={onFilter}
      fields={fields}
      values={values}
      onValuesOf={name => setField(canCount(name) ? name : '')}
      placeholder="state = READY AND hardware.memory_bytes > 64G, or any words"
      error={error}
    />
  );
}
