import {setTimeout as delay} from 'node:timers/promises';
import {
  ImportOutcome_Result as Result,
  ImportService,
} from '@muster/proto/gen/muster/v1/imports_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import type {Muster} from '../helpers/muster.ts';

/** Of one call (imports.proto). */
const machinesPerCall = 50;
const floodedMax = 100;
const source = 'bench';

export type Flood = {
  /** Changes a label of so many machines a second, by the API, until the time is over. Each change is an event. */
  run(eventsPerSecond: number, ms: number): Promise<void>;
  /** Of the journal. */
  countEvents(): Promise<number>;
};

/** Of the machines that stand first in the order of host names, so that the list shows what changes. */
export async function openFlood({client, postgres: {sql}}: Muster): Promise<Flood> {
  const {machines} = await client(MachineService).listMachines({
    orderBy: 'hostname',
    pageSize: floodedMax,
    readMask: {paths: ['id', 'service_tag', 'mac_address', 'hostname']},
  });
  const imports = client(ImportService);
  let tick = 0;

  const change = async (): Promise<void> => {
    const first = (tick * machinesPerCall) % machines.length;
    tick += 1;
    const {outcomes} = await imports.importMachines({
      source,
      machines: machines
        .slice(first, first + machinesPerCall)
        .map(({id, serviceTag, macAddress, hostname}) => ({
          originId: id,
          serviceTag,
          macAddresses: [macAddress],
          hostname,
          labels: {tick: String(tick)},
        })),
    });
    const other = outcomes.find(({result}) => result !== Result.UPDATED);
    if (other)
      throw new Error(`The flood did not change a machine: ${other.result} ${other.reason}`);
  };

  return {
    async run(eventsPerSecond, ms) {
      const begin = performance.now();
      const everyMs = (machinesPerCall * 1000) / eventsPerSecond;
      for (let call = 1; performance.now() - begin < ms; call += 1) {
        await change();
        const rest = begin + call * everyMs - performance.now();
        if (rest > 0) await delay(rest);
      }
    },
    async countEvents() {
      const [row] = await sql<
        {count: number}[]
      >`select count(*)::int as count from events where type = 'machine.updated'`;
      return row?.count ?? 0;
    },
  };
}
