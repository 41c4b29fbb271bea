import {create} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import {type Event, EventSchema} from '@muster/proto/gen/muster/v1/events_pb.ts';
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
