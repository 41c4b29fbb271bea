import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {createClient, type Transport} from '@connectrpc/connect';
import {useTransport} from '@connectrpc/connect-query';
import {useQuery} from '@tanstack/react-query';
import {machineName} from './machine-name.ts';

/** What is asked for in this time goes in one call: a table asks for all of its rows at once. */
const gatherMs = 20;
/** Of one filter (docs/search.md: 64 conditions). */
const idsPerCallMax = 60;
const freshMs = 60_000;

type Waiting = {
  readonly resolve: (name: string) => void;
  readonly reject: (error: unknown) => void;
};
type Gatherer = {readonly load: (id: string) => Promise<string>};
const gatherers = new WeakMap<Transport, Gatherer>();

function gathererOf(transport: Transport): Gatherer {
  const known = gatherers.get(transport);
  if (known) return known;
  const made = createGatherer(transport);
  gatherers.set(transport, made);
  return made;
}

function createGatherer(transport: Transport): Gatherer {
  const client = createClient(MachineService, transport);
  let waiting = new Map<string, Waiting[]>();

  async function send(asked: readonly (readonly [string, readonly Waiting[]])[]): Promise<void> {
    const readers = asked.flatMap(([, each]) => each);
    try {
      const {machines} = await client.listMachines({
        filter: `id = (${asked.map(([id]) => `"${id}"`).join(' OR ')})`,
        pageSize: idsPerCallMax,
        readMask: {paths: ['id', 'hostname', 'service_tag', 'mac_address']},
      });
      const names = new Map(machines.map(machine => [machine.id, machineName(machine)]));
      // One that is gone, or is not ours to see, keeps its number.
      for (const [id, each] of asked)
        for (const {resolve} of each) resolve(names.get(id) ?? id.slice(0, 8));
    } catch (error) {
      for (const {reject} of readers) reject(error);
    }
  }

  function sendAll(): void {
    const asked = [...waiting];
    waiting = new Map();
    for (let from = 0; from < asked.length; from += idsPerCallMax)
      void send(asked.slice(from, from + idsPerCallMax));
  }

  return {
    load: id =>
      new Promise((resolve, reject) => {
        if (waiting.size === 0) setTimeout(sendAll, gatherMs);
        waiting.set(id, [...(waiting.get(id) ?? []), {resolve, reject}]);
      }),
  };
}

/** What people call a machine; its id until that is known. Many at once are asked for in one call. */
export function useMachineName(id: string): string {
  const transport = useTransport();
  const {data} = useQuery({
    queryKey: ['machine-name', id],
    queryFn: () => gathererOf(transport).load(id),
    enabled: id !== '',
    staleTime: freshMs,
  });
  return data ?? id.slice(0, 8);
}
