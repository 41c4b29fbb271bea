import type {HandlerContext, ServiceImpl} from '@connectrpc/connect';
import type {EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import type {Events} from '../domain/events.ts';
import {parseFilterId} from '../domain/ids.ts';
import {frameOf, toEventMessage, toSharedMessage, toWatchedMessage} from './event-messages.ts';
import {frameSinkKey} from './frame-sink.ts';
import {whileCalled} from './streams.ts';

export const eventService = (events: Events): ServiceImpl<typeof EventService> => ({
  async listEvents({after, pageSize, machineId}) {
    const entries = await events.list({
      after: toPosition(after),
      pageSize,
      machineId: parseFilterId('machine_id', machineId),
    });
    return {events: entries.map(toEventMessage)};
  },

  async *watchEvents({after, machineId, typePrefix, types, filter}, context) {
    const wanted = {
      after: after === undefined ? undefined : toPosition(after),
      machineId: parseFilterId('machine_id', machineId),
      typePrefix: typePrefix || undefined,
      types,
      filter,
    };
    const {signal, values} = context;
    const sink = values.get(frameSinkKey);
    const toMessage = isBinary(context) ? toSharedMessage : toWatchedMessage;
    for await (const items of whileCalled(signal, events.watch(wanted, signal)))
      if (sink) await sink.write(items.map(item => frameOf(item, sink)));
      else for (const item of items) yield toMessage(item);
  },
});

/** Whether messages go out as protobuf: every protocol but Connect with JSON and gRPC(-Web) with JSON. */
const isBinary = ({requestHeader}: HandlerContext): boolean =>
  !/json/.test(requestHeader.get('content-type') ?? 'json');

/** A position beyond all that can exist is after everything. */
const toPosition = (after: bigint) => Math.min(Number(after), Number.MAX_SAFE_INTEGER);
