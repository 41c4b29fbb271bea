import type {FetchOutcome, OpenArtifact} from './artifacts.ts';
import type {FileDesk} from './file-desk.ts';
import type {Metrics} from './metrics.ts';
import {type Exchange, type Refuse, retryAfterSeconds, sendText} from './respond.ts';
import type {StorePathDesk} from './store-paths.ts';

/** Fewer than the edge fetches at a time: images of machines that boot never wait for store paths alone. */
const fetchesMax = 2;
const waitingMax = 1024;

/** Asked before caches on the internet, whose priority is 40 and more. It says no StoreDir: that is what its narinfos say. */
const cacheInfo = 'WantMassQuery: 1\nPriority: 30\n';

export type NixCacheRoute = ReturnType<typeof createNixCacheRoute>;

/** `/nix-cache/…`: a binary cache of Nix with the systems that builders made. */
export function createNixCacheRoute({
  storePaths,
  files,
  metrics,
  refuse,
}: {
  readonly storePaths: StorePathDesk;
  readonly files: FileDesk;
  readonly metrics: Metrics;
  readonly refuse: Refuse;
}) {
  const waiting: (() => void)[] = [];
  let fetching = 0;

  const refuseForNow = (exchange: Exchange) =>
    refuse(exchange, 503, 'Cannot tell now: the server does not answer', {
      'retry-after': retryAfterSeconds,
    });
  // Most of what Nix asks for is in no cache of ours: nothing to write down.
  const sayAbsent = ({response}: Exchange) =>
    sendText(response, 404, 'No builder has published this\n');

  async function fetchInTurn(
    sha256: string,
    sizeBytes: number,
  ): Promise<OpenArtifact | FetchOutcome> {
    if (fetching >= fetchesMax) {
      if (waiting.length >= waitingMax) return 'unavailable';
      await new Promise<void>(resolve => waiting.push(resolve));
    }
    fetching++;
    try {
      return await files.fetch(sha256, sizeBytes);
    } finally {
      fetching--;
      waiting.shift()?.();
    }
  }

  return {
    serveInfo({response}: Exchange): void {
      metrics.request('nix_cache_info');
      sendText(response, 200, cacheInfo, {
        'content-type': 'text/x-nix-cache-info',
        'cache-control': 'no-cache',
      });
    },

    async serveNarInfo(exchange: Exchange, hash: string): Promise<void> {
      metrics.request('narinfo');
      const found = await storePaths.find({case: 'hash', value: hash}, exchange.ipAddress);
      if (found === 'unknown') return refuseForNow(exchange);
      if (found === 'absent') return sayAbsent(exchange);
      sendText(exchange.response, 200, found.narinfo, {
        'content-type': 'text/x-nix-narinfo',
        'cache-control': 'no-cache',
      });
    },

    async serveNar(exchange: Exchange, sha256: string): Promise<void> {
      metrics.request('nar');
      let file: OpenArtifact | FetchOutcome | undefined = await files.open(sha256);
      if (!file) {
        const found = await storePaths.find({case: 'narSha256', value: sha256}, exchange.ipAddress);
        if (found === 'unknown') return refuseForNow(exchange);
        if (found === 'absent') return sayAbsent(exchange);
        file = await fetchInTurn(sha256, Number(found.narSizeBytes));
      }
      if (file === 'lost')
        return refuse(exchange, 502, 'Cannot serve: the image store has lost it');
      if (typeof file === 'string') return refuseForNow(exchange);
      const bytes = await files.send(exchange, sha256, file);
      if (bytes !== undefined) metrics.narBytes(bytes);
    },
  };
}
