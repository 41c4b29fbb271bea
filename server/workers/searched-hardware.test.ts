import {create, type DescMessage} from '@bufbuild/protobuf';
import {Firmware_Mode, HardwareSchema} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {MachineSchema} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import test from 'ava';
import {machineFields} from '../store/machine-fields.ts';
import {searchedHardware} from './searched-hardware.ts';

const leaves = (desc: DescMessage, prefix: string): readonly string[] =>
  desc.fields.flatMap(field => {
    const {message} = field;
    return message &&
      !message.typeName.startsWith('google.protobuf.') &&
      !message.typeName.startsWith('muster.v1.MachineTemplate')
      ? leaves(message, `${prefix}${field.name}.`)
      : [`${prefix}${field.name}`];
  });

/** Not a fact about the hardware, or a document of its own. */
const leftOut = new Set([
  'hardware.collect_time',
  'hardware.collectors.duration_ms',
  'image_config.host_name',
  'image_config.packages',
  'image_config.ssh_authorized_keys',
  'image_config.files.path',
  'image_config.files.content',
  'image_config.files.mode',
  'image_config.kernel_arguments',
  // As `stuck`.
  'stuck_reason',
  // As `workspace`, by its name.
  'workspace_id',
]);

test('every field of a machine and of its inventory can be searched by', t => {
  const names = [...leaves(MachineSchema, ''), ...leaves(HardwareSchema, 'hardware.')];
  t.deepEqual(
    names.filter(name => !machineFields.has(name) && !leftOut.has(name)),
    [],
  );
  const known = new Set(names);
  t.deepEqual(
    [...machineFields.keys()].filter(name => !known.has(name)),
    ['stuck', 'group', 'workspace'],
  );
});

test('facts have the names of the contract, lower case and real numbers', t => {
  const {facts, words} = searchedHardware(
    create(HardwareSchema, {
      firmware: {mode: Firmware_Mode.UEFI},
      disks: [{model: ' Samsung SSD ', serial: 'S1', sizeBytes: 2_000_000_000_000n}, {wwn: 'W2\0'}],
      nics: [{macAddress: '3c:ec:ef:00:00:0a', ipAddresses: ['10.0.0.9']}],
    }),
  );
  const parsed = JSON.parse(facts) as {firmware: object; disks: object[]};
  t.deepEqual(parsed.firmware, {mode: 'uefi'});
  t.like(parsed.disks[0], {model: 'samsung ssd', size_bytes: 2e12, rotational: false});
  t.is(words, 'samsung ssd s1 w2 3c:ec:ef:00:00:0a 10.0.0.9');
  t.deepEqual(searchedHardware(create(HardwareSchema)), {facts: '{}', words: ''});
});
