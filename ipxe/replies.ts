import type {BootDecision} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import type {Book, KnownMachine} from './book.ts';
import {renderScript} from './script.ts';

/** A whole HTTP reply, ready for the socket, and the script within it. */
export type Reply = {
  readonly whole: Buffer;
  /** The same for a client that asked to close the connection. */
  readonly closing: Buffer;
  readonly script: Buffer;
};

/** Decisions differ by image and reason: far fewer than machines, but reasons are free text. */
const repliesMax = 200_000;

export type Replies = ReturnType<typeof createReplies>;

/** One Buffer for each distinct decision, rendered on first use and again after the images changed. */
export function createReplies(book: Book) {
  const rendered = new Map<string, Reply>();
  let generation = book.imagesGeneration;

  function lookUp(key: string, decision: BootDecision): Reply {
    if (generation !== book.imagesGeneration || rendered.size > repliesMax) {
      rendered.clear();
      generation = book.imagesGeneration;
    }
    let reply = rendered.get(key);
    if (!reply) {
      reply = toReply(renderScript(decision, book.scriptImages()));
      rendered.set(key, reply);
    }
    return reply;
  }

  return {
    /** Undefined when the answer carries no decision. */
    ofMachine({answer, decisionKey}: KnownMachine): Reply | undefined {
      return answer.decision && lookUp(decisionKey, answer.decision);
    },
    ofPolicy(): Reply | undefined {
      const unknown = book.settings?.unknown;
      return (
        unknown && lookUp(`policy ${unknown.action} ${unknown.imageId} ${unknown.reason}`, unknown)
      );
    },
  };
}

/** Scripts may be kept by a cache but are to be asked for again: decisions change. */
export function toReply(script: string): Reply {
  const head = [
    'HTTP/1.1 200 OK',
    'Content-Type: text/plain; charset=utf-8',
    'Cache-Control: no-cache',
    `Content-Length: ${Buffer.byteLength(script)}`,
    '\r\n',
  ].join('\r\n');
  const whole = Buffer.from(head + script);
  const closing = Buffer.from(head.replace('\r\n', '\r\nConnection: close\r\n') + script);
  return {whole, closing, script: whole.subarray(Buffer.byteLength(head))};
}
