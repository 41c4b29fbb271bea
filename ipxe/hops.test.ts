import test from 'ava';
import {create} from '@bufbuild/protobuf';
import {Code, ConnectError} from '@connectrpc/connect';
import {BootClientSchema, type BootHop, BootHop_Kind} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {silentLogger} from '@muster/runtime/log.ts';
import {createHops, type SendHops} from './hops.ts';
import {createMetrics} from './metrics.ts';

function setUp(send: SendHops, nowMs = () => performance.now()) {
  let count = 0;
  const metrics = createMetrics();
  const hops = createHops({send, metrics, log: silentLogger, newId: () => `hop ${++count}`, nowMs});
  const add = (ipAddress: string) =>
    hops.add({
      kind: BootHop_Kind.SCRIPT,
      session: 's',
      client: create(BootClientSchema, {ipAddress}),
      detail: 'x'.repeat(2000),
    });
  return {hops, metrics, add};
}
const idsOf = (batch: readonly BootHop[]) => batch.map(hop => hop.id);

test('a batch that failed is sent again with the same ids, and what came meanwhile after it', async t => {
  const batches: string[][] = [];
  const {promise: taken, resolve} = Promise.withResolvers<void>();
  const {hops, add} = setUp(batch => {
    batches.push(idsOf(batch));
    t.is(batch[0]?.detail.length, 512);
    if (batches.length === 1) {
      add('10.0.0.1');
      return Promise.reject(new ConnectError('away', Code.Unavailable));
    }
    resolve();
    return Promise.resolve();
  });
  add('10.0.0.1');
  await taken;
  await hops[Symbol.asyncDispose]();
  t.deepEqual(batches, [['hop 1'], ['hop 1', 'hop 2']]);
});

test('the queue is bounded: the oldest go first, and are counted', async t => {
  const {hops, add, metrics} = setUp(() =>
    Promise.reject(new ConnectError('away', Code.Unavailable)),
  );
  for (let index = 0; index < 20_001; index++) add(`10.0.${index >> 8}.${index & 255}`);
  t.is(hops.waiting, 19_501);
  t.regex(await metrics.text(), /hops_dropped_total 500\n/);
  await hops[Symbol.asyncDispose]();
});

test('one address cannot fill the queue', async t => {
  const away = () => Promise.reject(new ConnectError('away', Code.Unavailable));
  const {hops, add, metrics} = setUp(away, () => 0);
  t.teardown(() => hops[Symbol.asyncDispose]());
  for (let index = 0; index < 5000; index++) add('10.0.0.1');
  add('10.0.0.2');
  t.is(hops.waiting, 2001);
  t.regex(await metrics.text(), /hops_dropped_total 3000\n/);
});

test('what waits is sent at the end', async t => {
  const batches: string[][] = [];
  const {hops, add} = setUp(batch => {
    batches.push(idsOf(batch));
    return Promise.resolve();
  });
  add('10.0.0.1');
  await hops[Symbol.asyncDispose]();
  t.deepEqual(batches, [['hop 1']]);
});
