import http from 'node:http';

export type HttpAnswer = {readonly status: number; readonly body: string};

type HttpRequest = {
  readonly url: string;
  /** A JSON text to POST; absent: GET. */
  readonly body?: string;
  /** PEM: trusted beside Node's own authorities when the URL is https. */
  readonly siteCa: string;
  readonly timeoutMs: number;
  readonly bodyBytesMax: number;
  /** The source address; absent: as the kernel chooses. */
  readonly localAddress?: string | undefined;
  readonly signal: AbortSignal;
};

/**
 * One request over node:http(s). Not `fetch`: loading it costs a machine 1.5 s of its boot (notes/lab.md). Throws when there is no
 * answer in time, when the answer is too long, or when the signal aborts.
 */
export async function request(options: HttpRequest): Promise<HttpAnswer> {
  const url = new URL(options.url);
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs)]);
  const send = url.protocol === 'https:' ? await secureRequest(options.siteCa) : http.request;
  const {promise, resolve, reject} = Promise.withResolvers<HttpAnswer>();
  const outgoing = send(url, {
    method: options.body === undefined ? 'GET' : 'POST',
    signal,
    agent: false,
    ...(options.localAddress === undefined ? {} : {localAddress: options.localAddress}),
  });
  outgoing.on('error', reject);
  outgoing.on('response', response => {
    readBody(response, options.bodyBytesMax).then(
      body => resolve({status: response.statusCode ?? 0, body}),
      reject,
    );
  });
  if (options.body !== undefined) outgoing.setHeader('content-type', 'application/json');
  outgoing.end(options.body);
  try {
    return await promise;
  } catch (error) {
    throw new Error(`Cannot reach "${url.origin}${url.pathname}"`, {cause: error});
  }
}

async function secureRequest(siteCa: string): Promise<typeof http.request> {
  const [{default: https}, {rootCertificates}] = await Promise.all([
    import('node:https'),
    import('node:tls'),
  ]);
  const ca = [siteCa, ...rootCertificates];
  return ((url: URL, options: http.RequestOptions) =>
    https.request(url, {...options, ca})) as typeof http.request;
}

async function readBody(response: http.IncomingMessage, bodyBytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) {
      response.destroy();
      throw new Error(`The answer is longer than ${bodyBytesMax} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
