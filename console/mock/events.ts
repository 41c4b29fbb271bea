import {EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import type {MockNoun} from './transport.ts';

const holdMs = 3_600_000;

/** A quiet site: the stream is open and says nothing. */
export const addEvents: MockNoun = router => {
  router.service(EventService, {
    listEvents: () => ({events: []}),
    async *watchEvents(_request, {signal}) {
      yield {position: 1n};
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, holdMs);
        signal.addEventListener('abort', () => {
          clearTimeout(timer);
          resolve();
        });
      });
    },
  });
};
