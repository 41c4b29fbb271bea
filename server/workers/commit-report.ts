import {timestampDate} from '@bufbuild/protobuf/wkt';
import type {AgentHello, AgentReport} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import type {Commands} from '../domain/commands.ts';
import type {Hello, Hellos} from '../domain/hello.ts';
import {printable} from '../domain/identifiers.ts';
import {isUuid} from '../domain/ids.ts';
import {insertAgentReport} from '../store/agents.ts';
import type {Database, Sql} from '../store/db.ts';
import {findMachine} from '../store/machines.ts';
import type {CommitReport} from './agent-reports.ts';

/** Each report once, in one transaction with what it means. Inventories go another way: take-in-inventory.ts. */
export function createCommitReport({
  sql,
  hellos,
  commands,
}: {
  readonly sql: Database;
  readonly hellos: Hellos;
  readonly commands: Commands;
}): CommitReport {
  async function apply(tx: Sql, machineId: string, {body}: AgentReport, time: Date): Promise<void> {
    switch (body.case) {
      case 'hello':
        await hellos.hear(tx, machineId, toHello(body.value, time));
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

  return (machineId, report, {time}) =>
    sql.begin(async tx => {
      // A machine that was deleted has nothing to say; its agent may drop the report.
      if (!(await findMachine(tx, machineId))) return false;
      const {reportId} = report;
      if (!(await insertAgentReport(tx, {machineId, reportId, time}))) return false;
      await apply(tx, machineId, report, time);
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
