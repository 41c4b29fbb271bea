import {BootHop_Kind} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import type {Book} from './book.ts';
import {parseBootRequest, toBootClient} from './boot-request.ts';
import type {Hops} from './hops.ts';
import type {Loader, Loaders} from './loaders.ts';
import type {Neighbours} from './neighbours.ts';
import type {Sessions} from './sessions.ts';

export type Refusal = {readonly kind: 'climbs' | 'absent' | 'local disk'; readonly message: string};

export type LoaderDesk = ReturnType<typeof createLoaderDesk>;

/** Hands out boot loaders, by TFTP and HTTP alike. Firmware names no machine: the neighbour table tells whose address it is. */
export function createLoaderDesk({
  loaders,
  neighbours,
  book,
  sessions,
  hops,
}: {
  readonly loaders: Loaders;
  readonly neighbours: Neighbours;
  readonly book: Book;
  readonly sessions: Sessions;
  readonly hops: Hops;
}) {
  async function identify(ipAddress: string) {
    const macAddress = await neighbours.macAddressOf(ipAddress);
    const keys = {
      macAddresses: macAddress === undefined ? [] : [macAddress],
      uuid: undefined,
      serial: undefined,
    };
    const match = book.find(keys);
    const machineId = match.kind === 'one' ? match.machine.answer.machineId : undefined;
    return {keys, macAddress, machineId, ipAddress};
  }

  return {
    async hand(asked: string, ipAddress: string): Promise<Loader | Refusal> {
      const loader = loaders.find(asked);
      if (loader === 'refused') return refusals.climbs;
      if (!loader) return refusals.absent;
      // UEFI goes on to its next boot option after `exit 1`: HTTP Boot or PXE of the same card must not start the round again.
      const session = sessions.find(await identify(ipAddress));
      if (session?.toldLocalDisk) return refusals['local disk'];
      return loader;
    },

    /** A whole loader went out. */
    async note({name}: Loader, ipAddress: string, bytes: number): Promise<void> {
      const who = await identify(ipAddress);
      const session = sessions.begin(who);
      const request = {...parseBootRequest(new URLSearchParams()), keys: who.keys};
      hops.add({
        kind: BootHop_Kind.LOADER,
        session: session.id,
        client: toBootClient(request, ipAddress, session.id),
        detail: name,
        bytes,
        complete: true,
      });
    },
  };
}

const refusals: Readonly<Record<Refusal['kind'], Refusal>> = {
  climbs: {
    kind: 'climbs',
    message: 'Cannot serve a name that leaves the folder of boot loaders',
  },
  absent: {kind: 'absent', message: 'There is no boot loader of this name'},
  'local disk': {
    kind: 'local disk',
    message: 'This machine was told to start from its local disk',
  },
};
