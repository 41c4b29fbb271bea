import {randomUUID} from 'node:crypto';
import {fromJson, type JsonValue} from '@bufbuild/protobuf';
import {HardwareSchema} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import type {Evidence} from '@muster/server/domain/identity.ts';
import {takeInHardware} from '@muster/server/workers/take-in-inventory.ts';
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

/** An inventory is taken in; JSON of the contract's Hardware. */
export async function reportHardware(
  server: ServerMachines,
  machineId: string,
  hardware: JsonValue,
): Promise<void> {
  const deps = {hardware: server.hardware, rules: server.application};
  const receipt = {time: server.clock.now};
  const inventory = {machineId, hardware: fromJson(HardwareSchema, hardware), receipt};
  await server.sql.begin(tx => takeInHardware(tx, inventory, deps));
}
