import {createHmac} from 'node:crypto';
import {EventEmitter, on, once} from 'node:events';
import {createServer, type IncomingHttpHeaders, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';

export type Received = {
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly path: string;
};

/** What to answer to the request of this number, from 1 on. */
export type Answer = (request: Received, response: ServerResponse, number: number) => void;

/** A receiver as somebody else would write it, after docs/webhooks.md. Answers 204 unless it is told otherwise. */
export async function startReceiver(options: {readonly port?: number} = {}) {
  const received: Received[] = [];
  const arrivals = new EventEmitter();
  let answer: Answer = (_request, response) => response.writeHead(204).end();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const {headers, url: path = ''} = request;
      const id = String(headers['webhook-id']);
      const one = {id, headers, path, body: Buffer.concat(chunks).toString()};
      received.push(one);
      answer(one, response, received.length);
      arrivals.emit('arrival');
    });
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const {port} = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}/hook`,
    received,
    answerWith(next: Answer) {
      answer = next;
    },
    /** Resolves once what was received satisfies. */
    async until(satisfied: (received: readonly Received[]) => boolean, timeoutMs = 30_000) {
      if (satisfied(received)) return;
      const signal = AbortSignal.timeout(timeoutMs);
      try {
        for await (const _ of on(arrivals, 'arrival', {signal})) if (satisfied(received)) return;
      } catch (error) {
        throw new Error(`Waited in vain after ${received.length} requests`, {cause: error});
      }
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export type Receiver = Awaited<ReturnType<typeof startReceiver>>;

/** Whether one of the signatures is by this secret, and the time is near. */
export function isGenuine({headers, body}: Received, secret: string, now = new Date()): boolean {
  const id = String(headers['webhook-id']);
  const timestamp = String(headers['webhook-timestamp']);
  if (Math.abs(now.getTime() / 1000 - Number(timestamp)) > 300) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const wanted = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return String(headers['webhook-signature']).split(' ').includes(`v1,${wanted}`);
}
