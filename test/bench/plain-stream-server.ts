// Server streams as one writes them first: each viewer's encodes each event by itself. The base of `fan-out-wire`; a line on standard input is a batch.
import {EventEmitter, on} from 'node:events';
import {createServer} from 'node:http';
import process from 'node:process';
import {createInterface} from 'node:readline';
import {connectNodeAdapter} from '@connectrpc/connect-node';
import {type Event, EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {toEventMessage} from '@muster/server/rpc/event-messages.ts';

const [, , port = '', eventsPerBatch = ''] = process.argv;
const payload = JSON.stringify({number: 1, serial: '7XK2MQ2', labels: {rack: 'r7'}});
const batches = new EventEmitter().setMaxListeners(0);
let position = 0;

const handler = connectNodeAdapter({
  routes: router =>
    router.service(EventService, {
      async *watchEvents(_, {signal}) {
        for await (const [events] of on(batches, 'batch', {signal}))
          for (const event of events as Event[]) yield {event, position: event.position};
      },
    }),
});
createServer(handler).listen(Number(port), '127.0.0.1');

createInterface({input: process.stdin}).on('line', marker => {
  const events = Array.from({length: Number(eventsPerBatch)}, (_, index) => {
    position += 1;
    const isLast = index === Number(eventsPerBatch) - 1;
    return toEventMessage({
      id: isLast ? marker : `event-${position}`,
      position,
      time: new Date(),
      type: 'machine.updated',
      actor: 'system',
      machineId: undefined,
      subject: '',
      data: payload,
    });
  });
  batches.emit('batch', events);
});
