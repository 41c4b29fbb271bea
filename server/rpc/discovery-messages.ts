import {fromJsonString} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import {Ban_Kind} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import {HardwareSchema} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import type {PendingMachine} from '../domain/pending.ts';
import type {Ban, BanKind} from '../store/bans.ts';
import {type MachineView, toMachineMessage, toStateMessage} from './machine-messages.ts';

const banKinds: Readonly<Record<BanKind, Ban_Kind>> = {
  mac: Ban_Kind.MAC_ADDRESS,
  uuid: Ban_Kind.UUID,
  serial: Ban_Kind.SERIAL,
};

export const toBanMessage = ({createTime, kind, ...same}: Ban) => ({
  ...same,
  kind: banKinds[kind],
  createTime: timestampFromDate(createTime),
});

export function toPendingMessage(pending: PendingMachine, view: MachineView) {
  const {machine, hardwareJson, identity, lookAlikes, heldByRule, nextStep} = pending;
  const hardware =
    hardwareJson === undefined
      ? undefined
      : fromJsonString(HardwareSchema, hardwareJson, {ignoreUnknownFields: true});
  return {
    machine: toMachineMessage(machine, view),
    bmcMacAddress: hardware?.bmc?.macAddress ?? '',
    bmcIpAddress: hardware?.bmc?.ipAddress ?? '',
    switchPorts: (hardware?.lldpNeighbours ?? []).map(neighbour => ({
      interface: neighbour.interface,
      switch: neighbour.systemName || neighbour.chassisId,
      port: neighbour.portId || neighbour.portDescription,
      vlanId: neighbour.vlanId,
    })),
    identityScore: identity.score,
    identityReasons: [...identity.reasons],
    lookAlikes: lookAlikes.map(({reasons, state, ...same}) => ({
      ...same,
      state: toStateMessage(state),
      reasons: [...reasons],
    })),
    heldByRule,
    nextStep,
  };
}
