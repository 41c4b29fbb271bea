import {once} from 'node:events';
import type {Message} from '@bufbuild/protobuf';
import {Code, ConnectError} from '@connectrpc/connect';
import type {FrameSink} from '../rpc/frame-sink.ts';
import type {Response} from './replies.ts';

/** Writes nothing before `open`, which comes after the head; `used` resolves when somebody wants to write. */
export function createFrameSink({
  kind,
  encode,
  response,
  signal,
}: {
  readonly kind: FrameSink['kind'];
  readonly encode: (message: Message) => string;
  readonly response: Response;
  readonly signal: AbortSignal;
}): {readonly sink: FrameSink; readonly used: Promise<void>; readonly open: () => void} {
  const used = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  opened.promise.catch(() => undefined);
  signal.addEventListener('abort', () => opened.reject(signal.reason), {once: true});
  return {
    used: used.promise,
    open: () => opened.resolve(),
    sink: {
      kind,
      encode: message => Buffer.from(encode(message)),
      async write(frames) {
        used.resolve();
        await opened.promise;
        signal.throwIfAborted();
        // The call was ended for another reason, and its last word is said.
        if (response.writableEnded) throw new ConnectError('The stream has ended', Code.Canceled);
        const [first] = frames;
        const bytes = frames.length === 1 && first ? first : Buffer.concat(frames);
        if (!response.write(bytes)) await once(response, 'drain', {signal});
      },
    },
  };
}
