import {toJson} from '@bufbuild/protobuf';
import {timestampDate} from '@bufbuild/protobuf/wkt';
import type {AgentHello, AgentReport} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import {type Hardware, HardwareSchema} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import type {Commands} from '../domain/commands.ts';
import type {HardwareRecords, Inventory} from '../domain/hardware.ts';
import type {Hello, Hellos} from '../domain/hello.ts';
import {printable} from '../domain/identifiers.ts';
import {isUuid} from '../domain/ids.ts';
import type {RuleApplication} from '../domain/rule-application.ts';
import {insertAgentReport} from '../store/agents.ts';
import type {Database, Sql} from '../store/db.ts';
import {findMachine} from '../store/machines.ts';
import type {CommitReport, ConfirmReport, ReportReceipt} from './agent-reports.ts';
import {firmwareMode} from './inventory-board-rules.ts';
import {readParts} from './inventory-parts.ts';
import {searchedHardware} from './searched-hardware.ts';

const wordLengthMax = 256;

/** Each report once, in one transaction with what it means. */
export function createCommitReport({
  sql,
  hellos,
  hardware,
  commands,
  rules,
}: {
  readonly sql: Database;
  readonly hellos: Hellos;
  readonly hardware: HardwareRecords;
  readonly commands: Commands;
  readonly rules: Pick<RuleApplication, 'inventoryCame'>;
}): CommitReport {
  async function apply(
    tx: Sql,
    machineId: string,
    {body}: AgentReport,
    receipt: ReportReceipt,
  ): Promise<void> {
    switch (body.case) {
      case 'hello':
        await hellos.hear(tx, machineId, toHello(body.value, receipt.time));
        return;
      case 'inventory':
        await hardware.save(tx, machineId, toInventory(body.value), receipt);
        await rules.inventoryCame(tx, machineId);
        return;
      case 'result': {
        const {commandId, succeeded, message} = body.value;
        if (!isUuid(commandId)) return;
        await commands.finish(tx, machineId, {
          commandId,
          succeeded,
          message: printable(message, 1024),
        });
        return;
      }
      default:
        return;
    }
  }

  return (machineId, report, receipt) =>
    sql.begin(async tx => {
      // A machine that was deleted has nothing to say; its agent may drop the report.
      if (!(await findMachine(tx, machineId))) return false;
      const {reportId} = report;
      if (!(await insertAgentReport(tx, {machineId, reportId, time: receipt.time}))) return false;
      await apply(tx, machineId, report, receipt);
      return true;
    });
}

function toHello(hello: AgentHello, heardTime: Date): Hello {
  return {
    bootSession: printable(hello.bootSessionId, 64),
    bootId: printable(hello.bootId, 64),
    imageInputKey: printable(hello.imageInputKey, 128),
    agentVersion: printable(hello.agentVersion, 64),
    machineTime: hello.machineTime && timestampDate(hello.machineTime),
    heardTime,
  };
}

/** An unchanged inventory is confirmed by its text alone. */
export const createConfirmReport =
  (hardware: HardwareRecords): ConfirmReport =>
  async (text, time) => {
    const outcome = await hardware.confirm({...text, time});
    return outcome === 'unknown' ? undefined : outcome === 'confirmed';
  };

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
