import {writeTree} from '@muster/test/helpers/tree.ts';
import test from 'ava';
import {collectInventory} from './collect.ts';
import {fastestMode} from './nics.ts';

const port = '/sys/devices/pci0000:00/0000:00:01.0';
const card = `${port}/0000:01:00.0`;
const link = (path: string, [speed, width, speedMax, widthMax]: readonly string[]) => ({
  [`${path}/current_link_speed`]: `${speed}\n`,
  [`${path}/current_link_width`]: `${width}\n`,
  [`${path}/max_link_speed`]: `${speedMax}\n`,
  [`${path}/max_link_width`]: `${widthMax}\n`,
});
const bus = {
  ...link(port, ['8.0 GT/s PCIe', '4', '16.0 GT/s PCIe', '8']),
  ...link(card, ['8.0 GT/s PCIe', '4', '16.0 GT/s PCIe', '16']),
  '/sys/bus/pci/devices/0000:00:01.0': {link: '../../../devices/pci0000:00/0000:00:01.0'},
  '/sys/bus/pci/devices/0000:01:00.0': {
    link: '../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0',
  },
};

test('the best link of a card is what its slot can do too', async t => {
  await using tree = await writeTree(bus);
  const {pciDevices} = await collectInventory(tree.root);
  t.deepEqual(
    pciDevices?.find(({address}) => address === '0000:01:00.0'),
    {
      address: '0000:01:00.0',
      linkSpeedGts: 8,
      linkSpeedGtsMax: 16,
      linkWidth: 4,
      linkWidthMax: 8,
    },
  );
});

test('devices without a PCIe link tell nothing of one', async t => {
  await using tree = await writeTree({
    ...bus,
    ...link(card, ['Unknown', '0', 'Unknown', '255']),
  });
  const {pciDevices} = await collectInventory(tree.root);
  t.deepEqual(
    pciDevices?.find(({address}) => address === '0000:01:00.0'),
    {address: '0000:01:00.0'},
  );
});

const told = `Settings for eno1:
	Supported ports: [ TP ]
	Supported link modes:   100baseT/Half 100baseT/Full
	                        1000baseT/Full
	                        10000baseT/Full
	Supported pause frame use: Symmetric
	Link partner advertised link modes:  100baseT/Full
	                                     1000baseT/Full
	Speed: 1000Mb/s
`;

test('the fastest mode stands in the lines below its title', t => {
  t.is(fastestMode(told, 'Supported link modes'), 10_000);
  t.is(fastestMode(told, 'Link partner advertised link modes'), 1000);
  t.is(fastestMode(told, 'Advertised FEC modes'), undefined);
  t.is(fastestMode('Supported link modes:   Not reported\n', 'Supported link modes'), undefined);
});

test('a NIC is not slower than its switch', async t => {
  const at = '/sys/devices/virtual/nic/net/eno1';
  await using tree = await writeTree({
    [`${at}/device/vendor`]: '0x8086\n',
    '/sys/class/net/eno1': {link: '../../devices/virtual/nic/net/eno1'},
    '/usr/sbin/ethtool': {program: `#!/bin/sh\n[ "$1" = eno1 ] && cat <<'END'\n${told}END\n`},
  });
  t.is((await collectInventory(tree.root)).nics?.[0]?.speedMbpsMax, 1000);
});
