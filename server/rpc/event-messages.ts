import {create, toBinary} from '@bufbuild/protobuf';
import {BinaryWriter, WireType} from '@bufbuild/protobuf/wire';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import {
  type Event,
  EventSchema,
  type WatchEventsResponse,
  WatchEventsResponseSchema,
} from '@muster/proto/gen/muster/v1/events_pb.ts';
import type {FeedItem} from '../domain/event-feed.ts';
import type {JournalEntry} from '../store/journal.ts';
import type {FrameSink} from './frame-sink.ts';

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
const frames = {
  events: new WeakMap<JournalEntry, Buffer>(),
  lines: new WeakMap<JournalEntry, Buffer>(),
} as const satisfies Record<FrameSink['kind'], WeakMap<JournalEntry, Buffer>>;

/** The same message for every viewer of an entry. */
export function toWatchedMessage({entry, missed, position}: FeedItem): WatchEventsResponse {
  if (entry)
    return once(watched, entry, () =>
      create(WatchEventsResponseSchema, {
        event: toEventMessage(entry),
        position: BigInt(position),
      }),
    );
  return create(WatchEventsResponseSchema, {
    ...(missed ? {missed: {from: BigInt(missed.from), to: BigInt(missed.to)}} : {}),
    position: BigInt(position),
  });
}

/**
 * The same, encoded already: all its fields stand in the message as unknown ones, which are written as they are. Only for transports that write
 * protobuf: JSON has no unknown fields.
 */
export function toSharedMessage(item: FeedItem): WatchEventsResponse {
  const {entry, position} = item;
  if (!entry) return toWatchedMessage(item);
  return once(shared, entry, () => {
    const {field} = WatchEventsResponseSchema;
    const bytes = toBinary(EventSchema, toEventMessage(entry));
    const event = new BinaryWriter().bytes(bytes).finish();
    const place = new BinaryWriter().uint64(position).finish();
    const message = create(WatchEventsResponseSchema);
    message.$unknown = [
      {no: field.event.number, wireType: WireType.LengthDelimited, data: event},
      {no: field.position.number, wireType: WireType.Varint, data: place},
    ];
    return message;
  });
}

/** The bytes by which REST shows it, made once for all viewers. */
export function frameOf(item: FeedItem, {kind, encode}: FrameSink): Buffer {
  const make = () => encode(toWatchedMessage(item));
  return item.entry ? once(frames[kind], item.entry, make) : make();
}

function once<T>(known: WeakMap<JournalEntry, T>, entry: JournalEntry, make: () => T): T {
  const found = known.get(entry);
  if (found !== undefined) return found;
  const made = make();
  known.set(entry, made);
  return made;
}
