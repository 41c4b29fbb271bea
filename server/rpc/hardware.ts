import {fromJsonString} from '@bufbuild/protobuf';
import type {ServiceImpl} from '@connectrpc/connect';
import {HardwareSchema, type HardwareService} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import type {HardwareRecords} from '../domain/hardware.ts';

export const hardwareService = (
  hardware: HardwareRecords,
): ServiceImpl<typeof HardwareService> => ({
  async getHardware({machineId}) {
    // An inventory of an older contract may hold fields that are gone.
    const json = await hardware.get(machineId);
    return {hardware: fromJsonString(HardwareSchema, json, {ignoreUnknownFields: true})};
  },
});
