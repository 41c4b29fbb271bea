import test from 'ava';
import {
  readHardwareRecord,
  readRecord,
  readSample,
  historyTables,
} from './metal-enrollment-history.ts';
import {readMachineRow} from './metal-enrollment-machines.ts';

const serialOf = (service_tag: string, serial: string, mac_address = '24:6e:96:0a:00:01') =>
  readMachineRow({
    id: 'm',
    service_tag,
    mac_address,
    hardware: JSON.stringify({serial_number: serial}),
  }).machine.serviceTag;

test('a service tag becomes the serial number that the machine will report', t => {
  t.is(serialOf('J7K2M13', 'J7K2M13'), 'J7K2M13');
  t.is(serialOf('VMware-564d', 'VMware-56 4d '), 'VMware-56 4d', 'its spaces were lost');
  t.is(serialOf('246E960A0001', 'System Serial Number'), 'System Serial Number', 'it was the MAC');
  t.is(serialOf('246E960A0001', 'Unknown'), '');
  t.is(serialOf('CZ1234', 'another'), 'CZ1234', 'somebody wrote it by hand');
  t.is(serialOf('246E960A0001', 'x', '24:6e:96:0a:00:02'), '246E960A0001');
});

test('threads are those of all sockets, or not known', t => {
  const threads = (cpu: object) =>
    readMachineRow({id: 'm', hardware: JSON.stringify({cpu})}).machine.hardware?.cpuThreads;
  t.is(threads({sockets: 2, cores: 16, threads: 2}), 64);
  t.is(threads({cores: 8}), 8);
  t.is(threads({sockets: 2}), 0);
  t.is(threads({sockets: 2 ** 20, cores: 2 ** 20, threads: 1}), 0);
});

test('hostile rows lose what is too large or broken, and nothing else', t => {
  const {machine, losses, hardware, hasBmc} = readMachineRow({
    id: 'm',
    service_tag: 'x'.repeat(2000),
    mac_address: '24:6e:96:0a:00:01',
    hostname: 'web1',
    description: 'y'.repeat(70_000),
    hardware: '{',
    bmc_info: '{"ip_address": "10.0.0.1", "password": "hidden"}',
    status: 'z'.repeat(500),
  });
  t.deepEqual(losses, [
    'its hardware is no JSON object',
    'its serial number has more than 1024 characters',
    'its description has more than 65536 characters',
  ]);
  t.like(machine, {serviceTag: '', hostname: 'web1', macAddresses: ['24:6e:96:0a:00:01']});
  t.is(machine.labels['metal-enrollment/status']?.length, 256);
  t.is(hardware, undefined);
  t.true(hasBmc);
  t.false(JSON.stringify(machine.labels).includes('hidden'));
  const nics = Array.from({length: 200}, (_, index) => ({mac_address: `24:6e:96:0b:00:${index}`}));
  t.is(readMachineRow({id: 'm', hardware: JSON.stringify({nics})}).machine.macAddresses.length, 64);
});

test('what happened is a record that fits, or is told why not', t => {
  const [builds] = historyTables;
  if (!builds) throw new Error('There is no table of builds');
  const row = {id: 'b', machine_id: 'm', created_at: '2024-02-03 04:05:06', status: 'failed'};
  t.like(readRecord(builds, row), {kind: 'build', title: 'Build: failed', machineOriginId: 'm'});
  t.is(readRecord(builds, {...row, created_at: 'never'}), 'Its time "never" is none');
  t.is(readRecord(builds, {...row, id: 'a b'}), 'Its id is none');
  // Control characters are six letters each in JSON.
  const log = `${'\u0001'.repeat(300_000)}the end`;
  const record = readRecord(builds, {...row, log_output: log, error: '\0'});
  if (typeof record === 'string') throw new Error(record);
  t.true(record.details.length <= 262_144);
  const details = JSON.parse(record.details) as {log_output: string; error: string};
  t.true(details.log_output.endsWith('the end'));
  t.is(details.error, '\uFFFD');

  const hardware = {vendor: 'x'.repeat(300_000)};
  t.is(
    readHardwareRecord({id: 'm', updated_at: row.created_at}, hardware),
    'its hardware has more than 262144 characters',
  );
  t.is(readHardwareRecord({id: 'm'}, {}), 'its hardware has no time');
});

test('a measurement that cannot be is absent, never zero', t => {
  const sample = readSample({
    machine_id: 'm',
    timestamp: '2024-02-03 04:05:06',
    cpu_usage_percent: '101',
    memory_used_bytes: '-1',
    memory_total_bytes: '99999999999999999999',
    load_average_1: 'NaN',
    temperature: '-5.5',
    uptime: '0',
  });
  if (typeof sample === 'string') throw new Error(sample);
  t.like(sample.metrics, {
    cpuUsagePercent: undefined,
    memoryUsedBytes: undefined,
    memoryTotalBytes: undefined,
    loadAverage1: undefined,
    temperature: -5.5,
    uptime: 0,
  });
  t.is(readSample({machine_id: 'm', timestamp: ''}), 'Its time "" is none');
});
