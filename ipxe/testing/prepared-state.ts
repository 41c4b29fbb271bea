import path from 'node:path';
import {create} from '@bufbuild/protobuf';
import {BootAction, BootSettingsSchema} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {createBook} from '../book.ts';
import {loadIdentity, saveServiceId} from '../identity.ts';
import {saveSnapshot} from '../snapshot.ts';
import {anAnswer, anImage, settings} from './edge.ts';

/** Serial of the machine with this number: "BENCH000042". */
export function serialOf(index: number): string {
  return `BENCH${String(index).padStart(6, '0')}`;
}

/**
 * Fills the state folder of an edge that has joined, with answers for so many machines: two MACs, a UUID and a serial each, ten images
 * among them. For the bench and the storm test.
 */
export async function prepareEdgeState(stateDir: string, machines: number): Promise<void> {
  await loadIdentity(stateDir);
  await saveServiceId(stateDir, '0197a000-0000-7000-8000-000000000001');
  const images = Array.from({length: 10}, (_, index) => anImage(String(index)));
  const book = createBook();
  book.apply({
    reset: true,
    revision: 1n,
    removedMachineIds: [],
    settings: create(BootSettingsSchema, settings),
    images: {
      images,
      registrationFullImageId: images[0]?.id ?? '',
      registrationVirtualImageId: images[1]?.id ?? '',
    },
    answers: Array.from({length: machines}, (_, index) => {
      const hex = index.toString(16).padStart(6, '0');
      const bytes = `${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4)}`;
      return anAnswer({
        machineId: `0197a000-0000-7000-8000-000000${hex}`,
        macAddresses: [`52:54:00:${bytes}`, `52:54:01:${bytes}`],
        uuid: `4c4c4544-0042-4310-8031-b1c04f${hex}`,
        serial: serialOf(index),
        decision: {
          action: BootAction.IMAGE,
          imageId: images[index % images.length]?.id ?? '',
          reason: 'its desired image',
        },
      });
    }),
  });
  await saveSnapshot(path.join(stateDir, 'boot-answers'), book);
}
