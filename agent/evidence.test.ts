import {writeTree} from '@muster/test/helpers/tree.ts';
import test from 'ava';
import {collectEvidence, evidenceBytesMax, fitEvidence, readEvidenceFile} from './evidence.ts';
import {createTools} from './run-command.ts';

test('evidence comes from the kernel’s fields, permanent addresses and disks that stay', async t => {
  await using tree = await writeTree({
    '/sys/class/dmi/id/product_uuid': '4c4c4544-0042-4310-8031-b1c04f313233\n',
    '/sys/class/dmi/id/product_serial': 'To be filled by O.E.M.\n',
    '/sys/class/dmi/id/sys_vendor': 'Supermicro\n',
    '/sys/class/net/eth0/address': '52:54:00:AA:00:01\n',
    '/sys/class/net/eth0/addr_assign_type': '0\n',
    '/sys/class/net/eth0/device/vendor': '0x1af4\n',
    '/sys/class/net/eth1/address': '52:54:00:aa:00:02\n',
    '/sys/class/net/eth1/addr_assign_type': '3\n',
    '/sys/class/net/eth1/bonding_slave/perm_hwaddr': '52:54:00:aa:00:03\n',
    '/sys/class/net/eth1/device/vendor': '0x1af4\n',
    '/sys/class/net/br0/address': '52:54:00:aa:00:09\n',
    '/sys/block/nvme0n1/device/serial': 'NVME1   \n',
    '/sys/block/sdb/removable': '1\n',
    '/sys/block/sdb/serial': 'STICK\n',
    '/sys/firmware/efi/systab': '',
  });
  const tools = createTools(tree.root);
  t.deepEqual(await collectEvidence(tree.root, tools, '52:54:00:aa:00:01'), {
    uuid: '4c4c4544-0042-4310-8031-b1c04f313233',
    // Junk is the server's to weigh.
    systemSerial: 'To be filled by O.E.M.',
    manufacturer: 'Supermicro',
    macAddresses: ['52:54:00:aa:00:01', '52:54:00:aa:00:03'],
    diskSerials: ['NVME1'],
    bootMacAddress: '52:54:00:aa:00:01',
    firmwareMode: 'uefi',
  });
});

test('evidence is cut to what the server takes', t => {
  const many = (text: string) => Array.from({length: 1500}, (_, index) => `${text}${index}`);
  const fitted = fitEvidence({
    systemSerial: 'x'.repeat(500),
    macAddresses: many('02:00'),
    diskSerials: many('disk'.repeat(25)),
    dimmSerials: many('dimm'.repeat(25)),
  });
  t.is(fitted.systemSerial?.length, 128);
  t.is(fitted.macAddresses?.length, 256);
  t.true(JSON.stringify(fitted).length <= evidenceBytesMax);
  t.true((fitted.diskSerials?.length ?? 0) > 0);
});

test('an evidence file replaces what the firmware says', async t => {
  await using tree = await writeTree({'/good.json': '{"systemSerial": "T1"}', '/bad.json': '7'});
  t.deepEqual(await readEvidenceFile(`${tree.root}/good.json`), {systemSerial: 'T1'});
  await t.throwsAsync(readEvidenceFile(`${tree.root}/bad.json`), {message: /no JSON object/});
});
