import {setImmediate} from 'node:timers/promises';
import type {ServiceImpl} from '@connectrpc/connect';
import {EventService} from '@muster/proto/gen/muster/v1/events_pb.ts';
import test from 'ava';
import {serve} from '../../test/helpers/one-port.ts';
import {callerKey} from '../rpc/caller.ts';

const headers = {authorization: 'Bearer viewer', accept: 'text/event-stream'};

const start = (watchEvents: ServiceImpl<typeof EventService>['watchEvents']) =>
  serve({routes: router => void router.service(EventService, {watchEvents})});

test('a stream passes the same interceptors as an RPC: who calls, and what is wrong', async t => {
  await using server = await start(async function* watch(request, {values, requestHeader}) {
    const {name, scope} = values.get(callerKey);
    const data = {name, scope: String(scope), agent: requestHeader.get('user-agent') ?? ''};
    yield {position: request.after ?? 0n, event: {actor: name, data}};
  });
  const watch = (query: string, own: Record<string, string> = headers) =>
    fetch(`${server.url}/api/v1/events/watch${query}`, {headers: own});
  const [text, refused, stranger] = await Promise.all([
    watch('?after=7', {...headers, 'user-agent': 'test'}).then(response => response.text()),
    watch('?types=X'),
    watch('', {}),
  ]);
  t.regex(text, /^data: .*"actor":"user:viewer".*\nid: 7\n\n$/);
  t.regex(text, /"data":\{"name":"user:viewer","scope":"everywhere","agent":"test"\}/);
  t.is(stranger.status, 401);
  t.is(refused.status, 400);
  const {error} = (await refused.json()) as {error: {message: string; details: unknown[]}};
  t.regex(error.message, /^Cannot call WatchEvents: "types\[0\]" /);
  t.like(error.details[0], {type: 'buf.validate.Violations', value: {violations: {length: 1}}});
});

test('when its viewer leaves, a stream is ended, even one that does not look', async t => {
  const ended = Promise.withResolvers<void>();
  await using server = await start(async function* watch() {
    try {
      for (let position = 1n; ; position += 1n) {
        yield {position};
        await setImmediate();
      }
    } finally {
      ended.resolve();
    }
  });
  const leave = new AbortController();
  const response = await fetch(`${server.url}/api/v1/events/watch`, {
    headers,
    signal: leave.signal,
  });
  const first = await response.body?.getReader().read();
  t.true((first?.value?.length ?? 0) > 0);
  leave.abort();
  await ended.promise;
});
