import {BootHop_Kind} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import type {Logger} from '@muster/runtime/log.ts';
import type {Book} from './book.ts';
import {parseBootRequest, toBootClient} from './boot-request.ts';
import type {Hops} from './hops.ts';
import {plainIpAddress} from './identifiers.ts';
import type {Identity} from './identity.ts';
import type {Metrics} from './metrics.ts';
import type {Neighbours} from './neighbours.ts';
import {limitPerSecond} from './rate-limit.ts';
import {type Exchange, type Refuse, retryAfterSeconds, sendText} from './respond.ts';
import {joinSession} from './session-of.ts';
import type {Sessions} from './sessions.ts';
import {bootFileArchive, bootFileJson, edgeAddress, mintBootFile} from './token.ts';

const linesPerSecondMax = 20;

/** `/boot/token.cpio` and `/boot/token.json`: each GET mints a token. */
export function createTokenRoute({
  edgeUrl,
  identity,
  issuer,
  book,
  sessions,
  neighbours,
  hops,
  metrics,
  refuse,
  log,
  newId,
}: {
  readonly edgeUrl: string;
  readonly identity: Identity;
  /** This edge's service id; undefined until it has joined. */
  readonly issuer: () => string | undefined;
  readonly book: Book;
  readonly sessions: Sessions;
  readonly neighbours: Neighbours;
  readonly hops: Hops;
  readonly metrics: Metrics;
  readonly refuse: Refuse;
  readonly log: Logger;
  readonly newId: () => string;
}) {
  const mayLog = limitPerSecond(linesPerSecondMax, () => performance.now());

  async function checkNeighbour(ipAddress: string, macAddress: string) {
    const neighbour = await neighbours.check(ipAddress, macAddress);
    if (neighbour.outcome === 'mismatch') {
      metrics.neighbourMismatch();
      if (mayLog())
        log.warn(
          {ipAddress, macAddress},
          'a token is asked for with a MAC that is not behind its address',
        );
    }
    return neighbour;
  }

  return async function serveToken(exchange: Exchange, form: 'cpio' | 'json'): Promise<void> {
    metrics.request('token');
    const {query, ipAddress, response, request: incoming} = exchange;
    const request = parseBootRequest(query);
    const [macAddress] = request.keys.macAddresses;
    if (macAddress === undefined)
      return refuse(exchange, 400, 'Cannot mint a boot token: "mac" is no MAC address');
    const imageId = query.get('image') ?? '';
    if (!/^([0-9a-f]{64})?$/.test(imageId))
      return refuse(exchange, 400, 'Cannot mint a boot token: "image" is no image id');
    const serviceId = issuer();
    const {settings} = book;
    if (serviceId === undefined || !settings)
      return refuse(
        exchange,
        503,
        'Cannot mint a boot token: this edge has not met its server yet',
        {'retry-after': retryAfterSeconds},
      );

    const session = joinSession({book, sessions, exchange, request});
    const {localAddress = '', localPort = 0} = incoming.socket;
    const file = await mintBootFile({
      request: {
        session: session.id,
        macAddress,
        ipAddress,
        imageId,
        uuid: request.keys.uuid ?? '',
        serial: request.keys.serial ?? '',
        neighbour: await checkNeighbour(ipAddress, macAddress),
      },
      edge: edgeAddress(edgeUrl, plainIpAddress(localAddress), localPort),
      settings,
      issuer: serviceId,
      key: identity.key,
      newId,
    });
    metrics.tokenMinted();
    // The archive is the last file before the kernel starts; plain JSON is asked for by an agent that runs.
    if (incoming.method === 'GET') {
      if (form === 'cpio') session.handedOver = true;
      hops.add({
        kind: BootHop_Kind.TOKEN,
        session: session.id,
        client: toBootClient(request, ipAddress, session.id),
        detail: form,
        complete: true,
        imageId,
      });
    }

    if (form === 'json')
      return sendText(response, 200, bootFileJson(file), {'content-type': 'application/json'});
    const archive = bootFileArchive(file);
    response.writeHead(200, {
      'content-type': 'application/x-cpio',
      'cache-control': 'no-store',
      'content-length': archive.length,
    });
    response.end(archive);
  };
}
