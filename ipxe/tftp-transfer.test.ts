import test from 'ava';
import * as fc from 'fast-check';
import {agreeOnTerms} from './tftp-packets.ts';
import {createTransfer, type Step} from './tftp-transfer.ts';

const termsOf = (options: Record<string, string>, size: number) =>
  agreeOnTerms(new Map(Object.entries(options)), size, 65_464);
const blocksOf = (step: Step) =>
  step.kind === 'send' ? step.datagrams.map(([header]) => header?.readUInt16BE(2)) : step.kind;

test('a duplicate acknowledgement is never answered', t => {
  const content = Buffer.alloc(2000);
  const transfer = createTransfer(content, termsOf({}, content.length));
  t.deepEqual(blocksOf(transfer.start(0)), [1]);
  t.deepEqual(blocksOf(transfer.onAck(1, 10)), [2]);
  t.is(blocksOf(transfer.onAck(1, 11)), 'wait');
  t.is(blocksOf(transfer.onAck(0, 12)), 'wait');
  t.is(blocksOf(transfer.onAck(9, 13)), 'wait');
  t.deepEqual(blocksOf(transfer.onAck(2, 20)), [3]);
});

test('an acknowledgement inside the window means that the rest was lost', t => {
  const content = Buffer.alloc(5000);
  const transfer = createTransfer(content, termsOf({windowsize: '4'}, content.length));
  transfer.start(0);
  t.deepEqual(blocksOf(transfer.onAck(0, 1)), [1, 2, 3, 4]);
  t.deepEqual(blocksOf(transfer.onAck(2, 2)), [3, 4, 5, 6]);
  t.deepEqual(blocksOf(transfer.onAck(6, 3)), [7, 8, 9, 10]);
  t.is(blocksOf(transfer.onAck(10, 4)), 'done');
});

test('silence is answered by sending again, later each time, and at last by giving up', t => {
  const content = Buffer.alloc(100);
  const transfer = createTransfer(content, termsOf({}, content.length));
  transfer.start(0);
  const sentAtMs: number[] = [];
  let nowMs = 0;
  for (let step = transfer.onTick(nowMs); step.kind !== 'given up'; step = transfer.onTick(nowMs)) {
    if (step.kind === 'send') sentAtMs.push(nowMs);
    nowMs += 50;
  }
  t.deepEqual(sentAtMs, [500, 1500, 3500, 7500, 11_500, 15_500]);
  t.is(nowMs, 19_500);
});

test('the time-out that the client asked for is kept', t => {
  const content = Buffer.alloc(100);
  const transfer = createTransfer(content, termsOf({timeout: '2'}, content.length));
  transfer.start(0);
  t.is(transfer.onTick(1999).kind, 'wait');
  t.is(transfer.onTick(2000).kind, 'send');
});

test('a file whose length is a multiple of the block ends with an empty block', t => {
  const transfer = createTransfer(Buffer.alloc(1024), termsOf({}, 1024));
  transfer.start(0);
  transfer.onAck(1, 1);
  const last = transfer.onAck(2, 2);
  t.is(last.kind === 'send' && last.datagrams[0]?.[1]?.length, 0);
  t.is(transfer.onAck(3, 3).kind, 'done');
});

test('every file arrives whole, over a line that loses and repeats, past 65,535 blocks too', t => {
  const cases = fc.record({
    size: fc.oneof(fc.nat({max: 4000}), fc.constant(8 * 66_000)),
    blksize: fc.constantFrom('8', '512', '1000'),
    windowsize: fc.integer({min: 1, max: 64}).map(String),
    seed: fc.integer({min: 1, max: 1000}),
  });
  fc.assert(
    fc.property(cases, ({size, blksize, windowsize, seed}) => {
      const content = Buffer.from(Array.from({length: size}, (_, index) => (index * seed) & 0xff));
      const transfer = createTransfer(content, termsOf({blksize, windowsize}, size));
      t.deepEqual(receive(transfer, {seed, windowBlocks: Number(windowsize)}), content);
    }),
    {numRuns: 30},
  );
});

/** A receiver of RFC 7440 behind a line that loses every 13th datagram and repeats every 7th acknowledgement. */
function receive(
  transfer: ReturnType<typeof createTransfer>,
  {seed, windowBlocks}: {seed: number; windowBlocks: number},
): Buffer {
  const parts: Buffer[] = [];
  let events = seed;
  let nowMs = 0;
  let expected = 0;
  let step = transfer.start(nowMs);
  while (step.kind !== 'done') {
    if (step.kind === 'given up') throw new Error('The sender gave up');
    nowMs += 1;
    let acknowledge = false;
    let inWindow = 0;
    for (const [header, payload] of step.kind === 'send' ? step.datagrams : []) {
      if (++events % 13 === 0) continue;
      if (!payload) {
        acknowledge = true;
        continue;
      }
      acknowledge = true;
      if (header?.readUInt16BE(2) !== ((expected + 1) & 0xffff)) break;
      expected++;
      parts.push(payload);
      if (++inWindow === windowBlocks) break;
    }
    if (!acknowledge) {
      nowMs += 5000;
      step = transfer.onTick(nowMs);
      continue;
    }
    const first = transfer.onAck(expected & 0xffff, nowMs);
    if (
      ++events % 7 === 0 &&
      first.kind !== 'done' &&
      transfer.onAck(expected & 0xffff, nowMs).kind !== 'wait'
    )
      throw new Error('A repeated acknowledgement was answered');
    step = first;
    if (step.kind === 'wait') {
      nowMs += 5000;
      step = transfer.onTick(nowMs);
    }
  }
  return Buffer.concat(parts);
}
