import {create, toBinary} from '@bufbuild/protobuf';
import {BinaryWriter, WireType} from '@bufbuild/protobuf/wire';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import {
  type Event,
  EventSchema,
  type WatchEventsResponse,
  WatchEventsResponseSchema,
} from '@muster/proto/gen/muster/v1/events_pb.ts';
import type {JournalEntry} from '../store/journal.ts';

/** The wire form of a journal entry, for RPCs and for the bus. */
export function toEventMessage({
  id,
  position,
  time,
  type,
  actor,
  machineId,
  subject,
  data,
}: JournalEntry): Event {
  return create(EventSchema, {
    id,
    position: BigInt(position),
    time: timestampFromDate(time),
    type,
    actor,
    machineId: machineId ?? '',
    subject,
    data: JSON.parse(data),
  });
}

const watched = new WeakMap<JournalEntry, WatchEventsResponse>();
const shared = new WeakMap<JournalEntry, WatchEventsResponse>();

/** The same message for every viewer of an entry. */
export const toWatchedEventMessage = (entry: JournalEntry): WatchEventsResponse =>
  once(watched, entry, () =>
    create(WatchEventsResponseSchema, {
      event: toEventMessage(entry),
      position: BigInt(entry.position),
    }),
  );

/**
 * The same, encoded already: its fields stand in the message as unknown ones, which are written as they are. Only for transports that write
 * protobuf: JSON has no unknown fields.
 */
export const toSharedEventMessage = (entry: JournalEntry): WatchEventsResponse =>
  once(shared, entry, () => {
    const {event} = WatchEventsResponseSchema.field;
    const bytes = toBinary(EventSchema, toEventMessage(entry));
    const message = create(WatchEventsResponseSchema, {position: BigInt(entry.position)});
    const data = new BinaryWriter().bytes(bytes).finish();
    message.$unknown = [{no: event.number, wireType: WireType.LengthDelimited, data}];
    return message;
  });

function once<T>(known: WeakMap<JournalEntry, T>, entry: JournalEntry, make: () => T): T {
  const message = known.get(entry) ?? make();
  known.set(entry, message);
  return message;
}
