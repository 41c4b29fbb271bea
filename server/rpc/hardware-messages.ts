import {create} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import {
  type HardwareChange,
  HardwareChange_Type,
  HardwareChangeSchema,
  type HardwarePart,
  HardwarePartSchema,
  type HardwareVersion as HardwareVersionMessage,
  HardwareVersionSchema,
} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import type {ChangeType, PartChange} from '../domain/hardware-diff.ts';
import type {Part} from '../domain/hardware-parts.ts';
import {describeChange} from '../domain/hardware-words.ts';
import type {HardwareVersion} from '../store/hardware-versions.ts';

const types: Readonly<Record<ChangeType, HardwareChange_Type>> = {
  added: HardwareChange_Type.ADDED,
  removed: HardwareChange_Type.REMOVED,
  replaced: HardwareChange_Type.REPLACED,
  moved: HardwareChange_Type.MOVED,
  changed: HardwareChange_Type.CHANGED,
};

export function toVersionMessage(version: HardwareVersion): HardwareVersionMessage {
  const {machineId, number, sha256, partCount, counts, summaries} = version;
  return create(HardwareVersionSchema, {
    machineId,
    number,
    digest: sha256.toString('hex'),
    partCount,
    counts,
    summaries: [...summaries],
    createTime: timestampFromDate(version.createTime),
    confirmTime: timestampFromDate(version.confirmTime),
  });
}

export function toChangeMessage(change: PartChange): HardwareChange {
  return create(HardwareChangeSchema, {
    type: types[change.type],
    ...('before' in change ? {before: toPartMessage(change.before)} : {}),
    ...('after' in change ? {after: toPartMessage(change.after)} : {}),
    attributes: 'attributes' in change ? [...change.attributes] : [],
    summary: describeChange(change),
  });
}

const toPartMessage = ({attributes, ...part}: Part): HardwarePart =>
  create(HardwarePartSchema, {...part, attributes: {...attributes}});
