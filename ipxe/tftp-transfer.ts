import {encodeDataHeader, type Terms} from './tftp-packets.ts';

const firstTimeoutMs = 500;
const timeoutMinMs = 300;
const timeoutMaxMs = 4000;
const sendsMax = 7;

/** Header and payload of one datagram. */
export type Datagram = readonly Buffer[];

export type Step =
  | {readonly kind: 'send'; readonly datagrams: readonly Datagram[]}
  | {readonly kind: 'wait'}
  | {readonly kind: 'done'}
  | {readonly kind: 'given up'};

const wait: Step = {kind: 'wait'};

export type Transfer = ReturnType<typeof createTransfer>;

/**
 * The sender's side of one read transfer, without sockets or clocks: what is to be sent after an acknowledgement, and after a time
 * without one. A duplicate acknowledgement is ignored, never answered (RFC 1123, 4.2.3.1: Sorcerer's Apprentice); one inside the window
 * means that the rest was lost (RFC 7440, 4).
 */
export function createTransfer(content: Buffer, terms: Terms) {
  const {blockBytes, windowBlocks, optionAck} = terms;
  // A last block shorter than the others, or empty, ends the file.
  const lastBlock = Math.floor(content.length / blockBytes) + 1;
  let acknowledged = optionAck ? -1 : 0;
  let sent = acknowledged;
  let sends = 0;
  let sentMs = 0;
  let timeoutMs = terms.timeoutMs ?? firstTimeoutMs;
  let smoothedMs: number | undefined;
  let backoff = 1;

  function sendWindow(nowMs: number): Step {
    sends++;
    sentMs = nowMs;
    if (acknowledged < 0 && optionAck) return {kind: 'send', datagrams: [[optionAck]]};
    sent = Math.min(acknowledged + windowBlocks, lastBlock);
    const datagrams: Datagram[] = [];
    for (let block = acknowledged + 1; block <= sent; block++) {
      const start = (block - 1) * blockBytes;
      const end = Math.min(start + blockBytes, content.length);
      datagrams.push([encodeDataHeader(block), content.subarray(start, end)]);
    }
    return {kind: 'send', datagrams};
  }

  /** Only an answer to something sent once tells a round-trip time (Karn). */
  function measure(nowMs: number) {
    if (sends !== 1 || terms.timeoutMs !== undefined) return;
    const roundTripMs = nowMs - sentMs;
    smoothedMs = smoothedMs === undefined ? roundTripMs : 0.875 * smoothedMs + 0.125 * roundTripMs;
    timeoutMs = Math.min(Math.max(4 * smoothedMs, timeoutMinMs), timeoutMaxMs);
  }

  return {
    sizeBytes: content.length,
    /** Nothing was acknowledged yet: a repeated request is a duplicate. */
    get isStarting() {
      return acknowledged <= 0;
    },

    start: sendWindow,

    onAck(block: number, nowMs: number): Step {
      if (acknowledged < 0) {
        if (block !== 0) return wait;
        acknowledged = 0;
      } else {
        // Block numbers wrap at 16 bits; the window is far smaller.
        const advance = (block - acknowledged) & 0xffff;
        if (advance === 0 || advance > sent - acknowledged) return wait;
        acknowledged += advance;
      }
      measure(nowMs);
      sends = 0;
      backoff = 1;
      return acknowledged === lastBlock ? {kind: 'done'} : sendWindow(nowMs);
    },

    onTick(nowMs: number): Step {
      if (nowMs - sentMs < Math.min(timeoutMs * backoff, Math.max(timeoutMs, timeoutMaxMs)))
        return wait;
      if (sends >= sendsMax) return {kind: 'given up'};
      backoff *= 2;
      return sendWindow(nowMs);
    },
  };
}
