const frameBytesMax = 2 * 1024 * 1024;
const lineEnd = Buffer.from('\r\n');

export type NatsFrame =
  | {readonly kind: 'message'; readonly subject: string; readonly data: Uint8Array}
  | {readonly kind: 'ping' | 'pong' | 'ok'}
  | {readonly kind: 'info'; readonly json: string}
  | {readonly kind: 'error'; readonly text: string};

/** What nats-server sends, from bytes as they come (docs.nats.io, "Client protocol"). Throws on what is no frame. */
export function createNatsParser() {
  let rest: Buffer = Buffer.alloc(0);
  return {
    *take(chunk: Buffer): Generator<NatsFrame> {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      if (rest.length > frameBytesMax)
        throw new Error(`nats-server sent a frame of more than ${frameBytesMax} bytes`);
      for (;;) {
        const end = rest.indexOf(lineEnd);
        if (end < 0) return;
        const line = rest.toString('latin1', 0, end);
        const after = end + lineEnd.length;
        const bytes = payloadLength(line);
        if (bytes === undefined) {
          rest = rest.subarray(after);
          yield control(line);
          continue;
        }
        if (rest.length < after + bytes + lineEnd.length) return;
        const data = rest.subarray(after, after + bytes);
        rest = rest.subarray(after + bytes + lineEnd.length);
        yield {kind: 'message', subject: line.split(' ')[1] ?? '', data};
      }
    },
  };
}

/** Of "MSG subject sid [reply] bytes"; undefined for lines without a payload. */
function payloadLength(line: string): number | undefined {
  return line.startsWith('MSG ') ? Number(line.slice(line.lastIndexOf(' ') + 1)) : undefined;
}

function control(line: string): NatsFrame {
  if (line === 'PING') return {kind: 'ping'};
  if (line === 'PONG') return {kind: 'pong'};
  if (line === '+OK') return {kind: 'ok'};
  if (line.startsWith('INFO ')) return {kind: 'info', json: line.slice(5)};
  if (line.startsWith('-ERR')) return {kind: 'error', text: line.slice(4).trim()};
  throw new Error(`nats-server sent "${line.slice(0, 80)}", which is no frame`);
}
