import {readFile} from 'node:fs/promises';
import {create, type DescMessage, fromJsonString} from '@bufbuild/protobuf';
import * as hardware from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {
  type CollectorJson,
  type HardwareJson,
  HardwareSchema,
} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import test from 'ava';
import {diffParts, settleParts} from '../domain/hardware-diff.ts';
import {digestParts, type PartKind, partKinds} from '../domain/hardware-parts.ts';
import {describeChange} from '../domain/hardware-words.ts';
import {readParts} from './inventory-parts.ts';
import {ignoredHealth} from './inventory-device-rules.ts';
import {ignoredLists, partRules} from './inventory-rules.ts';

const schemas: Readonly<Record<PartKind, DescMessage>> = {
  system: hardware.SystemSchema,
  baseboard: hardware.BaseboardSchema,
  chassis: hardware.ChassisSchema,
  firmware: hardware.FirmwareSchema,
  cpu: hardware.CpuSchema,
  memory: hardware.MemorySchema,
  dimm: hardware.DimmSchema,
  disk: hardware.DiskSchema,
  nic: hardware.NicSchema,
  pci: hardware.PciDeviceSchema,
  gpu: hardware.GpuSchema,
  tpm: hardware.TpmSchema,
  bmc: hardware.BmcSchema,
};

test('every field of the report either makes a version or is ignored for a reason', t => {
  for (const kind of partKinds) {
    const rule = partRules[kind];
    const decided = [...rule.named, ...rule.lasting, ...Object.keys(rule.ignored)];
    t.deepEqual(
      [...(decided as readonly string[])].sort(),
      schemas[kind].fields.map(({localName}) => localName).sort(),
      kind,
    );
  }
  t.deepEqual(
    ['verdict', ...Object.keys(ignoredHealth)].sort(),
    hardware.DiskHealthSchema.fields.map(({localName}) => localName).sort(),
  );
  const read = new Set(Object.values(schemas).map(({typeName}) => typeName));
  for (const field of HardwareSchema.fields)
    t.true(
      (field.message !== undefined && read.has(field.message.typeName)) !==
        Object.hasOwn(ignoredLists, field.localName),
      field.localName,
    );
});

test('docs/hardware.md says what is ignored and why', async t => {
  const page = await readFile(new URL('../../docs/hardware.md', import.meta.url), 'utf8');
  const snake = (name: string) => name.replaceAll(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);
  for (const [name, why] of Object.entries(ignoredLists))
    t.true(page.includes(`| \`${snake(name)}\` | ${why} |`), `| \`${snake(name)}\` | ${why} |`);
  for (const [name, why] of Object.entries(ignoredHealth))
    t.true(page.includes(`| \`disk.health.${snake(name)}\` | ${why} |`), name);
  for (const kind of partKinds)
    for (const [name, why] of Object.entries(partRules[kind].ignored))
      t.true(
        page.includes(`| \`${kind}.${snake(name)}\` | ${why} |`),
        `| \`${kind}.${snake(name)}\` | ${why} |`,
      );
});

const collected = (...names: readonly string[]): CollectorJson[] =>
  names.map(name => ({name, state: 'STATE_COLLECTED'}));

const server: HardwareJson = {
  collectTime: '2026-01-01T00:00:00Z',
  system: {manufacturer: 'Dell Inc.', product: 'R640', serial: 'ABC1234', uuid: 'u'},
  firmware: {vendor: 'Dell Inc.', version: '2.1', mode: 'MODE_UEFI'},
  cpus: [{socket: 'CPU1', model: 'Xeon', cores: 8, maxMhz: 3200, flags: ['fpu'], microcode: '1'}],
  memory: {
    totalBytes: '2',
    slots: 24,
    dimms: [
      {locator: 'A1', serial: 'S0001A', partNumber: 'M393', sizeBytes: '1'},
      {locator: 'A2', serial: '00000000', partNumber: 'M393', sizeBytes: '1'},
    ],
  },
  disks: [
    {name: 'sda', path: 'pci-a-ata-1', serial: ' s5y1 ', model: 'SSD', sizeBytes: '9'},
    {name: 'sdb', serial: 'VIRTUAL', model: 'Virtual Floppy', removable: true},
    {name: 'sdc', serial: 'LUN7', model: 'Array', transport: 'fc'},
  ],
  nics: [
    {
      name: 'eno1',
      macAddress: '02:00:00:00:00:01',
      permanentMacAddress: '3c:ec:ef:01:02:03',
      pciAddress: '0000:18:00.0',
      vendorId: '8086',
      deviceId: '1572',
      type: 'ethernet',
      speedMbps: 1000,
      link: true,
      ipAddresses: ['10.0.0.1'],
    },
    {name: 'usb0', macAddress: '3c:ec:ef:01:02:09', type: 'usb'},
  ],
  pciDevices: [{address: '0000:18:00.0', vendorId: '8086', deviceId: '1572', classId: '020000'}],
  usbDevices: [{busId: '1-1', product: 'Keyboard'}],
  bmc: {macAddress: '3c:ec:ef:0a:0b:0c', ipAddress: '10.0.0.9', firmwareVersion: '2.78'},
  operatingSystem: {kernel: '6.1'},
  collectors: collected('disks', 'nics', 'pci', 'bmc', 'memory', 'cpus', 'system', 'firmware'),
};
type Report = {readonly [K in keyof HardwareJson]: HardwareJson[K] | undefined};
const read = (part: Partial<Report> = {}) =>
  readParts(fromJsonString(HardwareSchema, JSON.stringify({...server, ...part})));

test('parts have canonical serials, and junk is none', t => {
  const {parts} = read();
  t.deepEqual(
    parts.map(({kind, slot, serial, model}) => [kind, slot, serial, model].join('|')),
    [
      'bmc||3c:ec:ef:0a:0b:0c|',
      'cpu|CPU1||Xeon',
      'dimm|A1|S0001A|M393',
      'dimm|A2||M393',
      'disk|pci-a-ata-1|S5Y1|SSD',
      'firmware|||Dell Inc.',
      'memory|||',
      'nic|0000:18:00.0|3c:ec:ef:01:02:03|8086:1572',
      'pci|0000:18:00.0||8086:1572',
      'system||ABC1234|Dell Inc. R640',
    ],
  );
});

const [disk] = server.disks ?? [];
const [nic] = server.nics ?? [];
const same = test.macro({
  exec(t, part: Partial<Report>) {
    const [before, after] = [read().parts, read(part)];
    const settled = settleParts(before, after.parts, after.unread);
    t.deepEqual(diffParts(before, settled).map(describeChange), []);
    t.true(digestParts(before).equals(digestParts(settled)));
  },
  title: name => `no version: ${name}`,
});
test('times and how long it took', same, {
  collectTime: '2026-01-02T00:00:00Z',
  collectors: [...(server.collectors ?? []), {name: 'x', durationMs: 7}],
});
test('a link that is down, another address, another name', same, {
  nics: [
    {...nic, name: 'eth0', link: false, speedMbps: 0, ipAddresses: [], mtu: 9000, driver: 'x'},
  ],
});
test('another MAC set by software', same, {nics: [{...nic, macAddress: '02:00:00:00:00:77'}]});
test('wear and hours of a disk', same, {
  disks: [{...disk, name: 'sdz', health: {powerOnHours: '5', percentageUsed: 9}}],
});
test('the order of lists', same, {
  disks: server.disks?.toReversed(),
  memory: {...server.memory, dimms: server.memory?.dimms?.toReversed() ?? []},
});
test('another kernel', same, {
  operatingSystem: {kernel: '6.12'},
  cpus: [{...server.cpus?.[0], microcode: '2', flags: [], maxMhz: 1}],
});
test('a USB stick and virtual media', same, {usbDevices: [], disks: server.disks?.slice(0, 1)});
test('a collector that took too long', same, {
  disks: [],
  collectors: [{name: 'disks', state: 'STATE_TIMED_OUT'}, ...collected('nics', 'pci')],
});
test('an image without ipmitool', same, {
  bmc: undefined,
  collectors: [{name: 'bmc', state: 'STATE_ABSENT'}, ...collected('disks', 'nics', 'pci')],
});
test('an inventory that was too large for its PCI devices', same, {
  pciDevices: [],
  collectors: [...(server.collectors ?? []), {name: 'pciDevices', state: 'STATE_FAILED'}],
});
test('a report from an agent that says nothing about how it read', same, {
  disks: [],
  nics: [],
  pciDevices: [],
  collectors: [],
});
test('unreadable SMBIOS', same, {
  memory: {totalBytes: '1'},
  system: undefined,
  firmware: {mode: 'MODE_UEFI'},
});

test('a machine without disks says so', t => {
  const before = read().parts;
  const {parts, unread} = read({
    disks: [],
    collectors: [{name: 'disks', state: 'STATE_ABSENT'}, ...collected('nics', 'pci')],
  });
  t.deepEqual(diffParts(before, settleParts(before, parts, unread)).map(describeChange), [
    'Disk S5Y1 (SSD) in slot pci-a-ata-1 removed',
  ]);
});

test('an empty report reads nothing', t => {
  const {parts, unread} = readParts(create(HardwareSchema));
  t.deepEqual(parts, []);
  t.deepEqual([...unread], [...partKinds]);
});
