import type {Message} from '@bufbuild/protobuf';
import {createContextKey} from '@connectrpc/connect';

/**
 * A stream's answer over REST, for methods that show the same messages to many: they make the text of a message once and write it here, in place of
 * giving each viewer a message that is encoded for it alone. The call passes the same interceptors, which see no messages.
 */
export type FrameSink = {
  /** Sinks of one kind show the same message by the same bytes. */
  readonly kind: 'events' | 'lines';
  readonly encode: (message: Message) => Buffer;
  /** Resolves when the viewer takes more; rejects when it has left. */
  readonly write: (frames: readonly Buffer[]) => Promise<void>;
};

export const frameSinkKey = createContextKey<FrameSink | undefined>(undefined, {
  description: 'frame sink',
});
