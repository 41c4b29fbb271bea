import {buildEntryPoint3, buildSmbiosTable, smbiosBody} from '@muster/test/helpers/smbios-table.ts';
import {type TreeEntry, writeTree} from '@muster/test/helpers/tree.ts';
import test from 'ava';
import {collectInventory} from './collect.ts';
import type {Collector} from './collector.ts';
import {fitInventory} from './limits.ts';

const nicPath = '/sys/devices/pci0000:00/0000:00:1f.6';
const hbaPath = '/sys/devices/pci0000:00/0000:01:00.0';

const table = buildSmbiosTable([
  {type: 0, body: smbiosBody(0x18, {4: {byte: 1}, 5: {byte: 2}}), strings: ['HPE', 'U30']},
  {type: 1, body: smbiosBody(0x1b, {4: {byte: 1}, 7: {byte: 2}}), strings: ['HPE', 'CZ1234']},
  {
    type: 4,
    body: smbiosBody(0x28, {4: {byte: 1}, 0x14: {word: 3200}, 0x18: {byte: 0x41}}),
    strings: ['Proc 1'],
  },
]);

const server: Readonly<Record<string, TreeEntry>> = {
  '/sys/firmware/dmi/tables/DMI': table,
  '/sys/firmware/dmi/tables/smbios_entry_point': buildEntryPoint3(3, 2, table.length),
  '/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c': Buffer.from([
    6, 0, 0, 0, 1,
  ]),
  '/proc/cpuinfo':
    'processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Xeon\nphysical id\t: 0\ncore id\t: 0\nflags\t\t: fpu vme\n\n' +
    'processor\t: 1\nvendor_id\t: GenuineIntel\nmodel name\t: Xeon\nphysical id\t: 0\ncore id\t: 0\nflags\t\t: fpu vme\n\n',
  '/proc/meminfo': 'MemTotal:        2048 kB\nMemFree: 1 kB\n',
  '/proc/sys/kernel/arch': 'x86_64\n',
  '/proc/sys/kernel/osrelease': '6.1.0-56-amd64\n',
  '/proc/sys/kernel/hostname': '(none)\n',
  '/etc/os-release': 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',

  [`${nicPath}/vendor`]: '0x8086\n',
  [`${nicPath}/device`]: '0x15bb\n',
  [`${nicPath}/class`]: '0x020000\n',
  [`${nicPath}/numa_node`]: '-1\n',
  [`${nicPath}/driver`]: {link: '../../../bus/pci/drivers/e1000e'},
  [`${nicPath}/net/eno1/address`]: '52:54:00:AA:00:01\n',
  [`${nicPath}/net/eno1/addr_assign_type`]: '3\n',
  [`${nicPath}/net/eno1/carrier`]: '1\n',
  [`${nicPath}/net/eno1/speed`]: '1000\n',
  [`${nicPath}/net/eno1/mtu`]: '1500\n',
  [`${nicPath}/net/eno1/type`]: '1\n',
  [`${nicPath}/net/eno1/device`]: {link: '../..'},
  '/sys/class/net/eno1': {link: `../../devices/pci0000:00/0000:00:1f.6/net/eno1`},
  '/sys/class/net/lo/address': '00:00:00:00:00:00\n',
  '/sys/bus/pci/devices/0000:00:1f.6': {link: '../../../devices/pci0000:00/0000:00:1f.6'},
  '/usr/sbin/ethtool': {
    program:
      '#!/bin/sh\ncase $1 in\n-P) echo "Permanent address: 3c:ec:ef:01:02:03";;\n-i) printf "driver: e1000e\\nfirmware-version: 0.8-4\\n";;\nesac\n',
  },

  [`${hbaPath}/ata1/host0/target0:0:0/0:0:0:0/model`]: 'Samsung SSD 870 \n',
  [`${hbaPath}/ata1/host0/target0:0:0/0:0:0:0/vendor`]: 'ATA     \n',
  [`${hbaPath}/ata1/host0/target0:0:0/0:0:0:0/rev`]: '1B6Q\n',
  [`${hbaPath}/ata1/host0/target0:0:0/0:0:0:0/wwid`]: 'naa.5002538f00000001\n',
  [`${hbaPath}/ata1/host0/target0:0:0/0:0:0:0/vpd_pg80`]: Buffer.from(
    '\0\u0080\0\u0010  S5Y1NJ0R000001',
    'latin1',
  ),
  [`${hbaPath}/ata1/host0/target0:0:0/0:0:0:0/block/sda/size`]: '1953525168\n',
  [`${hbaPath}/ata1/host0/target0:0:0/0:0:0:0/block/sda/queue/rotational`]: '0\n',
  [`${hbaPath}/ata1/host0/target0:0:0/0:0:0:0/block/sda/queue/logical_block_size`]: '512\n',
  [`${hbaPath}/ata1/host0/target0:0:0/0:0:0:0/block/sda/device`]: {link: '../..'},
  '/sys/block/sda': {
    link: '../devices/pci0000:00/0000:01:00.0/ata1/host0/target0:0:0/0:0:0:0/block/sda',
  },
  '/sys/block/loop0/size': '8\n',

  '/sys/bus/usb/devices/1-1/idVendor': '046b\n',
  '/sys/bus/usb/devices/1-1/product': 'Virtual Keyboard\n',
  '/sys/bus/usb/devices/usb1/idVendor': '1d6b\n',
  '/sys/devices/system/node/node0/cpulist': '0-1\n',
  '/sys/devices/system/node/node0/meminfo': 'Node 0 MemTotal:       2048 kB\n',
  '/sys/class/tpm/tpm0/tpm_version_major': '2\n',
  '/dev/ipmi0': '',
  '/usr/bin/ipmitool': {
    program:
      '#!/bin/sh\nif [ "$1" = mc ]; then printf "Firmware Revision         : 2.78\\nManufacturer Name         : HPE\\n"; exit; fi\n' +
      '[ "$3" = 1 ] || { echo "Invalid channel" >&2; exit 1; }\n' +
      'printf "IP Address Source       : DHCP Address\\nIP Address              : 10.0.0.9\\nMAC Address             : 3C:EC:EF:0A:0B:0C\\n"\n',
  },
  '/usr/sbin/lldpcli': {
    program: `#!/bin/sh\ncat <<'END'\n${JSON.stringify({
      lldp: [
        {
          interface: [
            {
              name: 'eno1',
              chassis: [
                {id: [{type: 'mac', value: '00:11:22:33:44:55'}], name: [{value: 'leaf1'}]},
              ],
              port: [{id: [{type: 'ifname', value: 'Eth1/7'}], descr: [{value: 'rack 12'}]}],
              vlan: [{'vlan-id': '112', pvid: true}],
            },
          ],
        },
      ],
    })}\nEND\n`,
  },
};

test('a whole server is read from its files and tools', async t => {
  await using tree = await writeTree(server);
  const found = await collectInventory(tree.root);
  t.deepEqual(found.system, {
    manufacturer: 'HPE',
    serial: 'CZ1234',
    // Junk goes through as it is: the server weighs it.
    uuid: '00000000-0000-0000-0000-000000000000',
  });
  t.deepEqual(found.firmware, {
    vendor: 'HPE',
    version: 'U30',
    mode: 'MODE_UEFI',
    secureBoot: 'SECURE_BOOT_ENABLED',
  });
  t.deepEqual(found.cpus, [
    {
      socket: 'Proc 1',
      maxMhz: 3200,
      architecture: 'x86_64',
      manufacturer: 'GenuineIntel',
      model: 'Xeon',
      cores: 1,
      threads: 2,
      flags: ['fpu', 'vme'],
    },
  ]);
  t.deepEqual(found.memory, {totalBytes: '2097152'});
  t.deepEqual(found.operatingSystem, {
    name: 'Debian GNU/Linux 12 (bookworm)',
    kernel: '6.1.0-56-amd64',
    architecture: 'x86_64',
  });
  t.deepEqual(found.numaNodes, [{id: 0, cpus: '0-1', memoryBytes: '2097152'}]);
  t.deepEqual(found.usbDevices, [{busId: '1-1', vendorId: '046b', product: 'Virtual Keyboard'}]);
  t.deepEqual(found.tpm, {version: '2.0'});
});

test('disks have serials without udev, and loops are none', async t => {
  await using tree = await writeTree(server);
  t.deepEqual((await collectInventory(tree.root)).disks, [
    {
      name: 'sda',
      model: 'Samsung SSD 870',
      serial: 'S5Y1NJ0R000001',
      wwn: 'naa.5002538f00000001',
      sizeBytes: '1000204886016',
      transport: 'sata',
      firmware: '1B6Q',
      logicalBlockBytes: 512,
      pciAddress: '0000:01:00.0',
    },
  ]);
});

test('interfaces have driver, firmware and permanent address', async t => {
  await using tree = await writeTree(server);
  const {nics, pciDevices} = await collectInventory(tree.root);
  t.deepEqual(nics, [
    {
      name: 'eno1',
      macAddress: '52:54:00:aa:00:01',
      permanentMacAddress: '3c:ec:ef:01:02:03',
      driver: 'e1000e',
      firmwareVersion: '0.8-4',
      pciAddress: '0000:00:1f.6',
      speedMbps: 1000,
      link: true,
      mtu: 1500,
      vendorId: '8086',
      deviceId: '15bb',
      type: 'ethernet',
    },
  ]);
  t.like(pciDevices?.[0], {address: '0000:00:1f.6', classId: '020000', numaNode: -1});
});

test('BMC and switch ports come from ipmitool and lldpcli', async t => {
  await using tree = await writeTree(server);
  const {bmc, lldpNeighbours} = await collectInventory(tree.root);
  t.deepEqual(bmc, {
    macAddress: '3c:ec:ef:0a:0b:0c',
    ipAddress: '10.0.0.9',
    firmwareVersion: '2.78',
    manufacturer: 'HPE',
  });
  t.deepEqual(lldpNeighbours, [
    {
      interface: 'eno1',
      chassisId: '00:11:22:33:44:55',
      systemName: 'leaf1',
      portId: 'Eth1/7',
      portDescription: 'rack 12',
      vlanId: 112,
    },
  ]);
});

test('a BMC that nobody can ask is not absent', async t => {
  await using tree = await writeTree({'/dev/ipmi0': '', '/proc/version': ''});
  const {bmc, collectors} = await collectInventory(tree.root);
  t.is(bmc, undefined);
  t.like(
    collectors?.find(({name}) => name === 'bmc'),
    {
      state: 'STATE_FAILED',
      reason: 'There is a BMC (/dev/ipmi0), but no ipmitool that gets an answer from it',
    },
  );
});

test('an empty machine fails nothing: every part says that it is absent', async t => {
  await using tree = await writeTree({'/proc/version': ''});
  const {collectors, ...found} = await collectInventory(tree.root);
  t.deepEqual(found.firmware, {mode: 'MODE_BIOS', secureBoot: 'SECURE_BOOT_UNSUPPORTED'});
  const states = new Set(
    collectors?.filter(({name}) => name !== 'firmware').map(({state}) => state),
  );
  t.deepEqual([...states], ['STATE_ABSENT']);
});

test('without SMBIOS tables the fields of the kernel are taken', async t => {
  await using tree = await writeTree({'/sys/class/dmi/id/product_serial': 'VM-1\n'});
  t.deepEqual((await collectInventory(tree.root)).system, {serial: 'VM-1'});
});

test('a failing and a hanging collector are told apart and hold up nothing', async t => {
  await using tree = await writeTree({'/proc/version': ''});
  const collector = (name: string, collect: Collector['collect']): Collector => ({
    name,
    timeoutMs: 50,
    collect,
    absence: 'None',
  });
  const {collectors, system} = await collectInventory(tree.root, [
    collector('hangs', () => new Promise(() => {})),
    collector('fails', () => Promise.reject(new Error('Broken bus'))),
    collector('works', async () => ({system: {serial: '1'}})),
  ]);
  t.like(collectors?.[0], {state: 'STATE_TIMED_OUT', reason: 'Not done in 50 ms'});
  t.like(collectors?.[1], {state: 'STATE_FAILED', reason: 'Broken bus'});
  t.like(collectors?.[2], {state: 'STATE_COLLECTED'});
  t.deepEqual(system, {serial: '1'});
});

test('a huge inventory loses what identifies nothing, and says so', t => {
  const pciDevices = Array.from({length: 4000}, () => ({address: 'x'.repeat(300)}));
  const fitted = fitInventory({system: {serial: '1'}, pciDevices});
  t.deepEqual(fitted.system, {serial: '1'});
  t.is(fitted.pciDevices, undefined);
  t.like(fitted.collectors?.[0], {name: 'pciDevices', state: 'STATE_FAILED'});
});
