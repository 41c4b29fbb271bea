import type {ServiceImpl} from '@connectrpc/connect';
import type {EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import type {Events} from '../domain/events.ts';
import {parseFilterId} from '../domain/ids.ts';
import {toEventMessage} from './event-messages.ts';
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

  async *watchEvents({after, machineId, typePrefix}, {signal}) {
    const filter = {
      machineId: parseFilterId('machine_id', machineId),
      typePrefix: typePrefix || undefined,
    };
    const position = after === undefined ? undefined : toPosition(after);
    const entries = events.watch({...filter, after: position}, signal);
    for await (const entry of whileCalled(signal, entries)) yield {event: toEventMessage(entry)};
  },
});

/** A position beyond all that can exist is after everything. */
const toPosition = (after: bigint) => Math.min(Number(after), Number.MAX_SAFE_INTEGER);
