import type {JsMsg} from '@nats-io/jetstream';
import type {Logger} from '@muster/runtime/log.ts';
import type {HardwareIntake, Received, ReportBytes} from '../domain/hardware-intake.ts';
import {isDatabaseUnavailable} from '../store/db.ts';
import type {ReceiptPressure} from './receipt-pressure.ts';
import type {CountReport, ReportOutcome, ReportSettling} from './report-settling.ts';

const reportsOfBatchMax = 64;
const bytesOfBatchMax = 4 * 1024 * 1024;
/** One is prepared while another is committed. */
const batchesAtOnceMax = 2;
const waitingMax = 256;
const waitingBytesMax = 16 * 1024 * 1024;
const kind = 'inventory';

/** An inventory report whose envelope is sound; nobody has read the rest. */
export type InventoryMessage = {
  readonly message: JsMsg;
  readonly machineId: string;
  readonly reportId: string;
  readonly wireSha256: Buffer | undefined;
  readonly report: ReportBytes;
};

export type InventoryReceipts = AsyncDisposable & {
  /** Resolves when there is room for the next one. */
  take(inventory: InventoryMessage): Promise<void>;
};

const outcomes: Readonly<Record<Received, ReportOutcome>> = {
  confirmed: 'committed',
  kept: 'received',
  superseding: 'received',
  repeated: 'repeated',
};

/**
 * Receives inventories: those that come at the same time are committed in one transaction, and their receipts go out after it. Of one machine one at a
 * time, so that each is compared with the one before it.
 */
export function startInventoryReceipts({
  intake,
  settling,
  pressure,
  kept,
  count,
  log,
}: {
  readonly intake: Pick<HardwareIntake, 'receive'>;
  readonly settling: Pick<ReportSettling, 'settle' | 'fail'>;
  readonly pressure: Pick<ReceiptPressure, 'add' | 'expect'>;
  /** So many wait to be taken in now. */
  readonly kept: (count: number) => void;
  readonly count: CountReport;
  readonly log: Logger;
}): InventoryReceipts {
  const waiting: InventoryMessage[] = [];
  const machines = new Set<string>();
  const batches = new Set<Promise<void>>();
  let bytes = 0;
  let room = Promise.withResolvers<void>();
  let isPlanned = false;

  /** After everything that one reading of the socket brought. */
  function plan(): void {
    if (isPlanned) return;
    isPlanned = true;
    setImmediate(() => {
      isPlanned = false;
      start();
    });
  }

  function start(): void {
    while (batches.size < batchesAtOnceMax) {
      const batch = takeBatch();
      if (batch.length === 0) return;
      const work = receive(batch).finally(() => {
        batches.delete(work);
        for (const {machineId} of batch) machines.delete(machineId);
        pressure.add(-batch.length);
        start();
      });
      batches.add(work);
    }
  }

  function takeBatch(): readonly InventoryMessage[] {
    const batch: InventoryMessage[] = [];
    let size = 0;
    for (let place = 0; place < waiting.length && batch.length < reportsOfBatchMax;) {
      const next = waiting[place];
      if (!next || (batch.length > 0 && size + next.message.data.length > bytesOfBatchMax)) break;
      if (machines.has(next.machineId)) {
        place += 1;
        continue;
      }
      waiting.splice(place, 1);
      machines.add(next.machineId);
      batch.push(next);
      size += next.message.data.length;
    }
    bytes -= size;
    if (batch.length > 0) {
      room.resolve();
      room = Promise.withResolvers();
    }
    return batch;
  }

  /** When the database refuses a batch, each report is tried alone, so that one keeps no other back. */
  async function receive(batch: readonly InventoryMessage[]): Promise<void> {
    try {
      const received = await intake.receive(
        batch.map(({message, ...inventory}) => ({
          ...inventory,
          receiveTime: message.time,
          sequence: message.seq,
        })),
      );
      let keptCount = 0;
      for (const {message, machineId, reportId} of batch) {
        const became = received.get(machineId) ?? 'repeated';
        settling.settle(message, {machineId, reportId, kind, outcome: outcomes[became]});
        if (became === 'kept') keptCount += 1;
        if (became === 'superseding') tellSuperseded(machineId);
      }
      if (keptCount > 0) kept(keptCount);
    } catch (error) {
      if (batch.length > 1 && !isDatabaseUnavailable(error))
        for (const one of batch) await receive([one]);
      else
        for (const {message, machineId} of batch) settling.fail(message, {machineId, kind, error});
    }
  }

  function tellSuperseded(machineId: string): void {
    log.warn({machineId}, 'inventory superseded before it was taken in: too many wait');
    count('superseded', kind);
  }

  const isFull = () => waiting.length >= waitingMax || bytes >= waitingBytesMax;
  return {
    async take(inventory) {
      waiting.push(inventory);
      bytes += inventory.message.data.length;
      pressure.add(1);
      pressure.expect(inventory.message.info.pending);
      plan();
      while (isFull()) await room.promise;
    },
    async [Symbol.asyncDispose]() {
      // What was not begun comes again: nobody has confirmed it.
      pressure.add(-waiting.length);
      waiting.length = 0;
      bytes = 0;
      room.resolve();
      await Promise.all(batches);
    },
  };
}
