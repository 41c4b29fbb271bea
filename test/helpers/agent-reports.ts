import {randomUUID} from 'node:crypto';
import {zstdDecompressSync} from 'node:zlib';
import type {AgentCommandJson, AgentReportJson} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import type {TestNats} from './nats.ts';

type Kind = 'hello' | 'inventory' | 'result' | 'metrics';

/**
 * The server's side of the bus in tests: keeps every report, a packed one also as it was before, confirms those of the kinds in `confirm`, sends commands. It comes back by
 * itself when nats-server was away.
 */
export async function openServerSide(nats: TestNats) {
  const connection = await nats.connectServer({
    maxReconnectAttempts: -1,
    reconnectTimeWait: 50,
    reconnectJitter: 0,
    reconnectJitterTLS: 0,
  });
  const reports: AgentReportJson[] = [];
  const confirm = new Set<Kind>(['hello', 'inventory', 'result', 'metrics']);
  const waiting = new Set<() => void>();

  const send = (machineId: string, operation: string, command: object | string) =>
    connection.publish(
      `muster.commands.${machineId}.${operation}`,
      typeof command === 'string' ? command : JSON.stringify(command),
    );
  const confirmReport = (machineId: string, reportId: string) =>
    send(machineId, 'received', {machineId, received: {reportIds: [reportId]}});
  connection.subscribe('muster.reports.agent.>', {
    callback(_error, message) {
      const [, , , machineId = '', kind] = message.subject.split('.');
      const report = unpacked(message.json<AgentReportJson>());
      reports.push(report);
      if (confirm.has(kind as Kind)) confirmReport(machineId, report.reportId ?? '');
      for (const look of waiting) look();
    },
  });
  await connection.flush();

  return {
    connection,
    reports,
    confirm,
    send,
    confirmReport,
    /** The command's id. */
    command(
      machineId: string,
      operation: Omit<AgentCommandJson, 'commandId' | 'machineId'>,
      commandId: string = randomUUID(),
    ) {
      const name = Object.keys(operation)[0] ?? '';
      send(machineId, name, {commandId, machineId, ...operation});
      return commandId;
    },
    /** The first report, the earlier ones included, for which `matches` holds. */
    async report(matches: (report: AgentReportJson) => boolean): Promise<AgentReportJson> {
      const {promise, resolve} = Promise.withResolvers<AgentReportJson>();
      const look = () => {
        const found = reports.find(matches);
        if (found) resolve(found);
      };
      waiting.add(look);
      look();
      const found = await promise;
      waiting.delete(look);
      return found;
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

export type ServerSide = Awaited<ReturnType<typeof openServerSide>>;

function unpacked(report: AgentReportJson): AgentReportJson {
  const packed = report.packedInventory?.report;
  if (!packed) return report;
  const text = zstdDecompressSync(Buffer.from(packed, 'base64')).toString();
  return {...report, ...(JSON.parse(text) as AgentReportJson)};
}
