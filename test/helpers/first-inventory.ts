import {randomUUID} from 'node:crypto';
import {create, fromJson, type JsonValue} from '@bufbuild/protobuf';
import {AgentReportSchema} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import {HardwareSchema} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import type {Evidence} from '@muster/server/domain/identity.ts';
import {createCommitReport} from '@muster/server/workers/commit-report.ts';
import {evidenceWith, newAgentKey, type ServerMachines} from './server-machines.ts';

/** Enrols as agents do, from its first MAC. */
export async function enrolWith(server: ServerMachines, part: Partial<Evidence>) {
  const [mac = ''] = part.macAddresses ?? [];
  const bootToken = await server.token({session: randomUUID(), mac});
  return server.enrolment.enrol({
    bootToken,
    publicKey: newAgentKey(),
    evidence: evidenceWith(part),
    bootId: randomUUID(),
    imageInputKey: '',
    agentVersion: '1',
  });
}

/** An inventory as the bus delivers it; JSON of the contract's Hardware. */
export async function reportHardware(
  server: ServerMachines,
  machineId: string,
  hardware: JsonValue,
): Promise<void> {
  const commit = createCommitReport({...server, rules: server.application});
  const report = create(AgentReportSchema, {
    reportId: randomUUID(),
    machineId,
    body: {case: 'inventory', value: fromJson(HardwareSchema, hardware)},
  });
  await commit(machineId, report, {time: server.clock.now, wireSha256: undefined});
}
