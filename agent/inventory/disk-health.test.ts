import {writeTree} from '@muster/test/helpers/tree.ts';
import test from 'ava';
import {collectInventory} from './collect.ts';
import {parseNvmeCli, parseSmartctl} from './disk-health.ts';

/** As smartctl 7.3 writes them, without what nobody here reads. */
const sata = {
  json_format_version: [1, 0],
  smartctl: {version: [7, 3], exit_status: 0},
  smart_status: {passed: true},
  ata_smart_attributes: {
    revision: 1,
    table: [
      {id: 5, name: 'Reallocated_Sector_Ct', when_failed: '', raw: {value: 8, string: '8'}},
      {id: 197, name: 'Current_Pending_Sector', when_failed: '', raw: {value: 2, string: '2'}},
      {id: 198, name: 'Offline_Uncorrectable', when_failed: '', raw: {value: 1, string: '1'}},
    ],
  },
  power_on_time: {hours: 20_311},
  temperature: {current: 31},
};
const failingSata = {
  ...sata,
  smartctl: {version: [7, 3], exit_status: 24},
  smart_status: {passed: false},
  ata_smart_attributes: {
    table: [
      {id: 5, name: 'Reallocated_Sector_Ct', when_failed: 'now', raw: {value: 3976}},
      {id: 9, name: 'Power_On_Hours', when_failed: '', raw: {value: 1}},
    ],
  },
};
const nvme = (criticalWarning: number) => ({
  smart_status: {passed: criticalWarning === 0, nvme: {value: criticalWarning}},
  nvme_smart_health_information_log: {
    critical_warning: criticalWarning,
    temperature: 36,
    available_spare: 100,
    available_spare_threshold: 10,
    percentage_used: 3,
    power_on_hours: 9120,
    media_errors: 0,
  },
});
const sas = {
  smart_status: {passed: true},
  scsi_grown_defect_list: 4,
  scsi_percentage_used_endurance_indicator: 12,
  power_on_time: {hours: 100, minutes: 5},
  scsi_error_counter_log: {
    read: {total_uncorrected_errors: 1},
    write: {total_uncorrected_errors: 2},
  },
};

const told = test.macro({
  exec: (t, found: unknown, expected: unknown) => t.deepEqual(found, expected),
  title: (name = '') => name,
});
test('smartctl of a SATA disk that passes', told, parseSmartctl(JSON.stringify(sata)), {
  verdict: 'VERDICT_PASSED',
  powerOnHours: '20311',
  reallocatedSectors: '8',
  pendingSectors: '2',
  mediaErrors: '1',
});
test('smartctl of a SATA disk that fails', told, parseSmartctl(JSON.stringify(failingSata)), {
  verdict: 'VERDICT_FAILED',
  reason: 'Reallocated_Sector_Ct is past its threshold',
  powerOnHours: '20311',
  reallocatedSectors: '3976',
});
test('smartctl of a SAS disk', told, parseSmartctl(JSON.stringify(sas)), {
  verdict: 'VERDICT_PASSED',
  powerOnHours: '100',
  reallocatedSectors: '4',
  mediaErrors: '3',
  percentageUsed: 12,
});
test('smartctl of an NVMe disk', told, parseSmartctl(JSON.stringify(nvme(0))), {
  verdict: 'VERDICT_PASSED',
  powerOnHours: '9120',
  mediaErrors: '0',
  percentageUsed: 3,
});
test(
  'heat alone fails no NVMe disk',
  told,
  parseSmartctl(JSON.stringify(nvme(2)))?.verdict,
  'VERDICT_PASSED',
);
test(
  'a worn NVMe disk fails',
  told,
  parseSmartctl(JSON.stringify(nvme(0b1101)))?.reason,
  'the spare space is below its threshold, its reliability is degraded, the medium is read-only',
);
test(
  'a disk that sleeps says nothing',
  told,
  parseSmartctl('{"smartctl":{"exit_status":2}}'),
  undefined,
);
test('what is no JSON says nothing', told, parseSmartctl('Segmentation fault'), undefined);
test(
  'nvme-cli 1',
  told,
  parseNvmeCli('{"critical_warning":1,"percent_used":101,"media_errors":5,"power_on_hours":7}'),
  {
    verdict: 'VERDICT_FAILED',
    reason: 'the spare space is below its threshold',
    powerOnHours: '7',
    mediaErrors: '5',
    percentageUsed: 101,
  },
);
test(
  'nvme-cli 2 takes the warning apart',
  told,
  parseNvmeCli('{"critical_warning":{"value":0,"ro":0}}')?.verdict,
  'VERDICT_PASSED',
);

const pciPath = '/sys/devices/pci0000:00';
const sataPath = `${pciPath}/0000:00:17.0/ata3/host2/target2:0:0/2:0:0:0/block/sda`;
const raidPath = `${pciPath}/0000:00:02.0/0000:02:00.0/host0/target0:2:1/0:2:1:0/block/sdb`;
const sasPath = `${pciPath}/0000:00:03.0/0000:03:00.0/host1/port-1:0/end_device-1:0/target1:0:0/1:0:0:0/block/sdc`;
const nvmePath = `${pciPath}/0000:00:1d.0/0000:04:00.0/nvme/nvme0/nvme0n1`;
const link = (path: string) => ({link: path.replace('/sys/', '../')});
const storage = {
  [`${sataPath}/size`]: '8\n',
  [`${sataPath.replace('/host2/target2:0:0/2:0:0:0/block/sda', '')}/ata_port/ata3/port_no`]: '3\n',
  [`${raidPath}/size`]: '8\n',
  [`${raidPath}/device/state`]: 'offline\n',
  [`${sasPath}/size`]: '8\n',
  [`${sasPath.replace('/target1:0:0/1:0:0:0/block/sdc', '')}/sas_device/end_device-1:0/bay_identifier`]:
    '7\n',
  [`${sasPath.replace('/target1:0:0/1:0:0:0/block/sdc', '')}/sas_device/end_device-1:0/enclosure_identifier`]:
    '0x500304801f1e8f3f\n',
  [`${nvmePath}/size`]: '8\n',
  [`${nvmePath}/nsid`]: '1\n',
  '/sys/block/sda': link(sataPath),
  '/sys/block/sdb': link(raidPath),
  '/sys/block/sdc': link(sasPath),
  '/sys/block/nvme0n1': link(nvmePath),
};
const smartctl = `#!/bin/sh
for last; do :; done
case $last in
/dev/sda) echo '${JSON.stringify(failingSata)}'; exit 24;;
/dev/nvme0n1) echo '${JSON.stringify(nvme(0))}';;
*) echo '{"smartctl":{"exit_status":2}}'; exit 2;;
esac
`;

test('a disk has the same path at each boot, whatever its name', async t => {
  await using tree = await writeTree(storage);
  const {disks} = await collectInventory(tree.root);
  t.deepEqual(
    disks?.map(({name, path}) => [name, path]),
    [
      ['nvme0n1', 'pci-0000:04:00.0-nvme-1'],
      ['sda', 'pci-0000:00:17.0-ata-3'],
      ['sdb', 'pci-0000:02:00.0-scsi-2:1:0'],
      ['sdc', 'pci-0000:03:00.0-sas-500304801f1e8f3f-bay-7'],
    ],
  );
});

test('smartctl is asked about each disk, and its exit status is no failure', async t => {
  await using tree = await writeTree({...storage, '/usr/sbin/smartctl': {program: smartctl}});
  const {disks, collectors} = await collectInventory(tree.root);
  t.deepEqual(
    disks?.map(({health}) => health?.verdict),
    ['VERDICT_PASSED', 'VERDICT_FAILED', 'VERDICT_FAILED', undefined],
  );
  t.is(disks?.[2]?.health?.reason, 'the kernel has given it up (offline)');
  t.is(collectors?.find(({name}) => name === 'disks')?.state, 'STATE_COLLECTED');
});

test('without any tool disks have no health, and the inventory is whole', async t => {
  await using tree = await writeTree(storage);
  const {disks} = await collectInventory(tree.root);
  t.deepEqual(
    disks?.flatMap(({name, health}) => (health ? [name] : [])),
    ['sdb'],
  );
});
