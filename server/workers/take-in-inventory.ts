import {toJson} from '@bufbuild/protobuf';
import {type Hardware, HardwareSchema} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {subjects} from '@muster/runtime/bus.ts';
import type {HardwareRecords, Inventory, Receipt} from '../domain/hardware.ts';
import type {TakeIn} from '../domain/hardware-intake.ts';
import {printable} from '../domain/identifiers.ts';
import type {RuleApplication} from '../domain/rule-application.ts';
import type {Sql} from '../store/db.ts';
import {firmwareMode} from './inventory-board-rules.ts';
import {readParts} from './inventory-parts.ts';
import {parseReport} from './parse-report.ts';
import {searchedHardware} from './searched-hardware.ts';

const wordLengthMax = 256;

export type TakeInDeps = {
  readonly hardware: Pick<HardwareRecords, 'save'>;
  readonly rules: Pick<RuleApplication, 'inventoryCame'>;
};

/** Reads an inventory that was received, and takes in what it says. */
export const createTakeIn =
  (deps: TakeInDeps): TakeIn =>
  async (tx, {machineId, senderId, reportId, receiveTime, ...receipt}, data) => {
    const parsed = parseReport({subject: subjects.agentReport(senderId, 'inventory'), data});
    if (typeof parsed === 'string') return parsed;
    const {report} = parsed;
    if (report.reportId !== reportId) return 'its envelope names two reports';
    if (report.body.case !== 'inventory') return 'it holds no inventory';
    const {confirmTime, wireSha256} = receipt;
    const times = {time: receiveTime, confirmTime, wireSha256};
    await takeInHardware(tx, {machineId, hardware: report.body.value, receipt: times}, deps);
    return undefined;
  };

export async function takeInHardware(
  tx: Sql,
  {
    machineId,
    hardware,
    receipt,
  }: {readonly machineId: string; readonly hardware: Hardware; readonly receipt: Receipt},
  deps: TakeInDeps,
): Promise<void> {
  await deps.hardware.save(tx, machineId, toInventory(hardware), receipt);
  await deps.rules.inventoryCame(tx, machineId);
}

/** Without the times of the reading: the same hardware has the same text. */
function toInventory(hardware: Hardware): Inventory {
  const {collectTime: _, ...lasting} = hardware;
  const collectors = lasting.collectors.map(collector => ({...collector, durationMs: 0}));
  const json = JSON.stringify(toJson(HardwareSchema, {...lasting, collectors}));
  const [cpu] = hardware.cpus;
  const disks = hardware.disks.filter(({removable}) => !removable);
  return {
    json,
    ...readParts(hardware),
    ...searchedHardware({...lasting, collectors}),
    summary: {
      cpuThreads: bounded(
        hardware.cpus.reduce((sum, {threads}) => sum + threads, 0),
        2 ** 31 - 1,
      ),
      cpuModel: printable(cpu?.model ?? '', wordLengthMax),
      memoryBytes: bounded(Number(hardware.memory?.totalBytes ?? 0n), Number.MAX_SAFE_INTEGER),
      diskCount: disks.length,
      diskBytes: bounded(
        disks.reduce((sum, {sizeBytes}) => sum + Number(sizeBytes), 0),
        Number.MAX_SAFE_INTEGER,
      ),
      firmwareMode: firmwareMode(hardware),
    },
  };
}

const bounded = (value: number, max: number): number => Math.min(Math.max(0, value), max);
