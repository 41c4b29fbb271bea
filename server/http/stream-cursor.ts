import {
  type DescField,
  type DescMessage,
  getOption,
  hasOption,
  type Message,
} from '@bufbuild/protobuf';
import {reflect} from '@bufbuild/protobuf/reflect';
import {cursor} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {DomainError} from '../errors.ts';

const uint64Max = 2n ** 64n - 1n;

/** The field that says where a stream stands, when the message has one. */
const findCursor = (desc: DescMessage): DescField | undefined =>
  desc.fields.find(field => hasOption(field, cursor) && getOption(field, cursor));

/** Begins a stream where the client's last one broke: a browser asks again with the same address and this header. Throws invalid_argument. */
export function resumeAfter(desc: DescMessage, input: Message, lastEventId: string): void {
  const field = findCursor(desc);
  if (!field || lastEventId === '') return;
  const position = /^\d{1,20}$/.test(lastEventId) ? BigInt(lastEventId) : undefined;
  if (position === undefined || position > uint64Max)
    throw new DomainError(
      'invalid_argument',
      `Cannot go on after event "${lastEventId.slice(0, 64)}": Last-Event-ID is the id of an event of this stream`,
    );
  reflect(desc, input).set(field, position);
}

/** The line that names the place after this message; empty when the stream has no cursor. */
export function eventIdLine(desc: DescMessage, message: Message): string {
  const field = findCursor(desc);
  const position: unknown = field && reflect(desc, message).get(field);
  return typeof position === 'bigint' ? `id: ${position}\n` : '';
}
