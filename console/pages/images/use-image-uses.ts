import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {keepPreviousData} from '@tanstack/react-query';
import {useMemo} from 'react';

const fields = ['desired_image_id', 'booted_image_id'] as const;
/** The most that a facet tells. */
const valuesMax = 200;

export type ImageUses = {
  readonly desired: ReadonlyMap<string, number>;
  readonly booted: ReadonlyMap<string, number>;
  /** There are more images in use than are counted here. */
  readonly isPartial: boolean;
};

/** How many machines desire and boot which image. Undefined while it is not known. */
export function useImageUses(): ImageUses | undefined {
  const {data} = useQuery(
    MachineService.method.listMachineFacets,
    {fields: [...fields], valuesMax},
    {placeholderData: keepPreviousData},
  );
  return useMemo(() => {
    if (!data) return undefined;
    const countsOf = (name: string) =>
      new Map(
        data.facets
          .find(({field}) => field === name)
          ?.values.map(({value, count}) => [value, Number(count)]),
      );
    return {
      desired: countsOf('desired_image_id'),
      booted: countsOf('booted_image_id'),
      isPartial: data.facets.some(({more}) => more),
    };
  }, [data]);
}
