import {Code, ConnectError, createRouterTransport} from '@connectrpc/connect';
import {EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import test from 'ava';
import {createEventStream, type LiveBatch} from './event-stream.ts';

type Message = {readonly position: bigint; readonly type?: string; readonly missed?: boolean};

/** Each opening of the stream gets the next list; after the last one it stays open. */
function followed(...openings: readonly (readonly Message[] | Code)[]) {
  const asked: (bigint | undefined)[] = [];
  const transport = createRouterTransport(({service}) => {
    service(EventService, {
      async *watchEvents({after}, {signal}) {
        asked.push(after);
        const opening = openings[asked.length - 1];
        if (typeof opening === 'number') throw new ConnectError('Cannot go on', opening);
        for (const {position, type, missed} of opening ?? [])
          yield {
            position,
            ...(type && {event: {position, type}}),
            ...(missed && {missed: {from: 1n, to: position}}),
          };
        if (asked.length < openings.length) throw new ConnectError('Broken', Code.Unavailable);
        const {promise, resolve} = Promise.withResolvers<void>();
        signal.addEventListener('abort', () => resolve());
        await promise;
      },
    });
  });
  const stream = createEventStream(transport);
  const batches: LiveBatch[] = [];
  const enough = (isEnough: () => boolean) =>
    new Promise<void>(resolve => {
      stream.onBatch(batch => {
        batches.push(batch);
        if (isEnough()) resolve();
      });
      stream.start();
    });
  return {stream, asked, batches, enough};
}

test('what comes together is told together, and a break is gone on after', async t => {
  const first = [
    {position: 4n},
    {position: 5n, type: 'machine.a'},
    {position: 6n, type: 'machine.b'},
  ];
  const {stream, asked, batches, enough} = followed(first, [{position: 7n, type: 'machine.c'}]);
  await enough(() => batches.flatMap(({events}) => events).length === 3);
  stream.stop();

  t.deepEqual(
    batches.map(({events}) => events.map(({type}) => type)),
    [['machine.a', 'machine.b'], ['machine.c']],
  );
  t.deepEqual(asked, [undefined, 6n]);
  t.false(batches.some(({missed}) => missed));
});

test('readers are told that they missed events', async t => {
  const {stream, batches, enough} = followed([{position: 9n, missed: true}]);
  await enough(() => batches.length === 1);
  stream.stop();
  t.like(batches[0], {missed: true, events: []});
});

test('a position that is gone by retention begins anew, and everything counts as missed', async t => {
  const {stream, asked, batches, enough} = followed(
    [{position: 3n, type: 'machine.a'}],
    Code.FailedPrecondition,
    [],
  );
  await enough(() => batches.some(({missed}) => missed));
  stream.stop();
  t.deepEqual(asked.slice(0, 2), [undefined, 3n]);
});

test('somebody who is signed out is not asked again and again', async t => {
  const {stream, asked} = followed(Code.Unauthenticated);
  const states: string[] = [];
  const {promise, resolve} = Promise.withResolvers<void>();
  stream.onState(() => {
    states.push(stream.state());
    if (stream.state() === 'off') resolve();
  });
  stream.start();
  await promise;
  t.deepEqual(states, ['connecting', 'off']);
  t.is(asked.length, 1);
});
