import {setTimeout as delay} from 'node:timers/promises';
import {
  ImportOutcome_Result as Result,
  ImportService,
} from '@muster/proto/gen/muster/v1/imports_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {changeMachines} from '../helpers/many-machines.ts';
import type {Muster} from '../helpers/muster.ts';

/** Of one call (imports.proto). */
const machinesPerCall = 50;
const floodedMax = 100;
const machinesPerTick = 25;
const tickMs = 25;
const source = 'bench';

export type Flood = {
  /**
   * Changes so many machines a second until the time is over; each change is an event. Labels by the API, as fast as the server takes them in; what is
   * wanting, and it says how much, in the database.
   */
  run(
    eventsPerSecond: number,
    ms: number,
  ): Promise<{readonly api: number; readonly database: number}>;
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
      const end = begin + ms;
      const counts = {api: 0, database: 0};
      const wanting = () =>
        (eventsPerSecond * (performance.now() - begin)) / 1000 - counts.api - counts.database;
      const byApi = async () => {
        while (performance.now() < end) {
          await change();
          counts.api += machinesPerCall;
          await delay(Math.max(0, (-wanting() * 1000) / eventsPerSecond));
        }
      };
      const inDatabase = async () => {
        for (; performance.now() < end; await delay(tickMs)) {
          if (wanting() < machinesPerTick) continue;
          const count = Math.min(Math.floor(wanting()), floodedMax);
          counts.database += await changeMachines(sql, count, `PowerEdge ${counts.database}`);
        }
      };
      await Promise.all([byApi(), inDatabase()]);
      return counts;
    },
  };
}
