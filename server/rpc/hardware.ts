import {fromJsonString} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import type {ServiceImpl} from '@connectrpc/connect';
import {
  type Hardware,
  HardwareSchema,
  type HardwareService,
} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import type {HardwareRecords} from '../domain/hardware.ts';
import {toChangeMessage, toVersionMessage} from './hardware-messages.ts';

export const hardwareService = (
  hardware: HardwareRecords,
): ServiceImpl<typeof HardwareService> => ({
  async getHardware({machineId}) {
    const {json, confirmTime} = await hardware.get(machineId);
    return {hardware: read(json, confirmTime)};
  },

  async listHardwareVersions({machineId, pageSize, pageToken}) {
    const page = await hardware.listVersions(machineId, {pageSize, pageToken});
    return {
      versions: page.versions.map(toVersionMessage),
      nextPageToken: page.nextPageToken,
    };
  },

  async getHardwareVersion({machineId, number}) {
    const {version, json} = await hardware.getVersion(machineId, number);
    return {
      version: {...toVersionMessage(version), hardware: read(json, version.createTime)},
    };
  },

  async diffHardwareVersions({machineId, from, to}) {
    const diff = await hardware.diff(machineId, from, to);
    return {diff: {...diff, changes: diff.changes.map(toChangeMessage)}};
  },
});

/** An inventory of an older contract may hold fields that are gone. */
function read(json: string, collectTime: Date): Hardware {
  const hardware = fromJsonString(HardwareSchema, json, {ignoreUnknownFields: true});
  return {...hardware, collectTime: timestampFromDate(collectTime)};
}
