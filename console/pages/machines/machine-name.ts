import type {Machine} from '@muster/proto/gen/muster/v1/machines_pb.ts';

type Named = Pick<Machine, 'id' | 'hostname' | 'serviceTag' | 'macAddress' | 'product'>;

/** What people call it: the first thing that it has, of host name, serial number, MAC, id. */
export const machineName = (machine: Named): string =>
  machine.hostname || machine.serviceTag || machine.macAddress || machine.id.slice(0, 8);
