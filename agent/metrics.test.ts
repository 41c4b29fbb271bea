import {writeTree} from '@muster/test/helpers/tree.ts';
import test from 'ava';
import * as fc from 'fast-check';
import {parseDisks, parseInterfaces} from './device-metrics.ts';
import {measureSampleCpuMs} from './metrics.bench.ts';
import {
  cpuUsagePercent,
  createSampler,
  parseCpuTimes,
  parseNetwork,
  samplesPerDeviceReading,
} from './metrics.ts';
import {createFanReader, createPowerMeter} from './sensors.ts';

test('a sample has what the machine tells, and nothing else', async t => {
  await using tree = await writeTree({
    '/proc/stat': 'cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 1 2 3\n',
    '/proc/meminfo': 'MemTotal:       1000 kB\nMemFree:  1 kB\nMemAvailable:    400 kB\n',
    '/proc/net/dev':
      'Inter-|   Receive\n face |bytes\n    lo: 9 9 0 0 0 0 0 0 9 9 0 0 0 0 0 0\n  eth0:100 1 0 0 0 0 0 0 200 2 0 0 0 0 0 0\n',
    '/proc/loadavg': '0.10 0.20 0.30 1/100 7\n',
    '/proc/uptime': '12.34 5.00\n',
    '/proc/self/mounts': `/dev/sda1 /data ext4 rw 0 0\n/dev/sda1 /again ext4 rw 0 0\n/dev/loop0 /img squashfs ro 0 0\ntmpfs /tmp tmpfs rw 0 0\n`,
    '/data/file': '',
    '/proc/diskstats':
      '   8       0 sda 10 0 8 5 20 0 16 7 0 1500 12 0 0 0 0\n   8       1 sda1 1 0 8 5 1 0 1 1 0 1 1\n   7 0 loop0 1 0 8 5 1 0 1 1 0 1 1\n',
    '/sys/class/hwmon/hwmon0/name': 'coretemp\n',
    '/sys/class/hwmon/hwmon0/temp1_input': '45000\n',
    '/sys/class/hwmon/hwmon0/temp1_label': 'Core 0\n',
    '/sys/class/hwmon/hwmon0/temp2_input': '-274000\n',
    '/sys/class/hwmon/hwmon2/name': 'nct6775\n',
    '/sys/class/hwmon/hwmon2/fan1_input': '0\n',
    '/sys/class/hwmon/hwmon2/fan2_input': '1205\n',
    '/sys/class/hwmon/hwmon2/fan2_label': 'CPU\n',
    '/sys/class/hwmon/hwmon3/name': 'amdgpu\n',
    '/sys/class/hwmon/hwmon3/fan1_input': '900\n',
    '/sys/class/hwmon/hwmon1/name': 'drivetemp\n',
    '/sys/class/hwmon/hwmon1/temp1_input': '90000\n',
    '/sys/class/thermal/thermal_zone0/temp': '47500\n',
    '/sys/class/thermal/thermal_zone0/type': 'acpitz\n',
  });
  const time = new Date('2026-01-02T03:04:05Z');
  const sampler = createSampler(
    tree.root,
    () => time,
    () => ({samplesWaiting: '3'}),
  );
  const first = sampler.sample();
  const {fileSystems, disks, interfaces, sensors, fans, agent, ...rest} = first;
  const {diskTotalBytes, diskUsedBytes, ...plain} = rest;
  t.deepEqual(plain, {
    time: '2026-01-02T03:04:05.000Z',
    memoryTotalBytes: '1024000',
    memoryUsedBytes: '614400',
    networkRxBytes: '100',
    networkTxBytes: '200',
    loadAverage1: 0.1,
    loadAverage5: 0.2,
    loadAverage15: 0.3,
    temperature: 47.5,
    powerState: 'on',
    uptime: 12.34,
  });
  t.true(Number(diskTotalBytes) >= Number(diskUsedBytes));
  t.deepEqual(fileSystems, [
    {
      device: '/dev/sda1',
      mountPoint: '/data',
      sizeBytes: diskTotalBytes,
      usedBytes: diskUsedBytes,
    } as never,
  ]);
  t.deepEqual(disks, [{name: 'sda', readBytes: '4096', writtenBytes: '8192', busySeconds: 1.5}]);
  t.deepEqual(interfaces, [
    {
      name: 'eth0',
      rxBytes: '100',
      txBytes: '200',
      rxErrors: '0',
      txErrors: '0',
      rxDropped: '0',
      txDropped: '0',
    },
  ]);
  t.deepEqual(sensors, [
    {name: 'coretemp Core 0', temperature: 45},
    {name: 'acpitz thermal_zone0', temperature: 47.5},
  ]);
  t.deepEqual(fans, [{name: 'nct6775 CPU', rpm: 1205}]);
  t.deepEqual(agent, {samplesWaiting: '3'});

  const {time: _, ...second} = plain;
  for (let count = 1; count < samplesPerDeviceReading; count++)
    t.deepEqual(Object.keys(sampler.sample()).toSorted(), [
      ...Object.keys({...second, time: '', diskTotalBytes: '', diskUsedBytes: ''}).toSorted(),
    ]);
  t.is(sampler.sample().disks?.length, 1);
});

test('a fan is told of from when it has turned once, and then when it stands too', t => {
  let rpm = '0\n';
  const readFans = createFanReader(path => (path === '/fan1' ? rpm : ''));
  const fans = [
    {name: 'one', path: '/fan1'},
    {name: 'gone', path: '/fan2'},
  ];
  t.deepEqual(readFans(fans), [], 'a header without a fan reads 0');
  rpm = '1200\n';
  t.deepEqual(readFans(fans), [{name: 'one', rpm: 1200}]);
  rpm = '0\n';
  t.deepEqual(readFans(fans), [{name: 'one', rpm: 0}]);
  rpm = '4294967295\n';
  t.deepEqual(readFans(fans), [], 'a misreading');
});

test('what the machine draws is the energy since the reading before, or what its meter says', async t => {
  let energy = 1_000_000;
  let ms = 0;
  const files: Record<string, string> = {
    '/sys/class/powercap/intel-rapl:0/name': 'package-0',
    '/sys/class/powercap/intel-rapl:1/name': 'dram',
  };
  const read = (path: string) =>
    path.endsWith('rapl:0/energy_uj') ? String(energy) : (files[path] ?? '');
  const list = (path: string) =>
    path === '/sys/class/powercap' ? ['intel-rapl:0', 'intel-rapl:0:0', 'intel-rapl:1'] : [];
  const meter = createPowerMeter(list, read, () => ms);
  t.is(meter.watts(), undefined);
  ms += 60_000;
  energy += 60 * 95_500_000;
  t.is(meter.watts(), 95.5);
  ms += 60_000;
  energy = 5;
  t.is(meter.watts(), undefined, 'the counter began anew');

  const own = createPowerMeter(
    path => (path === '/sys/class/hwmon' ? ['hwmon3'] : []),
    path => (path.endsWith('/name') ? 'power_meter\n' : '212000000\n'),
  );
  t.is(own.watts(), 212);
  t.is(
    createPowerMeter(
      () => [],
      () => '',
    ).watts(),
    undefined,
  );
});

test('a machine that tells nothing still gives a sample', async t => {
  await using tree = await writeTree({'/etc/none': ''});
  t.deepEqual(Object.keys(createSampler(tree.root).sample()), ['time', 'powerState']);
});

test('CPU usage is the busy share of the time between two samples', t => {
  const before = parseCpuTimes('cpu  100 0 100 800 0 0 0 0 50 0\n');
  const after = parseCpuTimes('cpu  150 0 125 820 5 0 0 0 90 0\n');
  t.deepEqual(before, {total: 1000, idle: 800});
  t.is(before && after && cpuUsagePercent(before, after), 75);
  t.is(before && cpuUsagePercent(before, before), undefined);
});

test('usage stays between 0 and 100 whatever the counters do', t => {
  const times = fc.record({total: fc.nat(), idle: fc.nat()});
  fc.assert(
    fc.property(times, times, (before, after) => {
      const usage = cpuUsagePercent(before, after) ?? 0;
      t.true(usage >= 0 && usage <= 100);
    }),
  );
});

test('junk in the network counters counts as nothing', t => {
  fc.assert(
    fc.property(fc.string(), junk => {
      const {networkRxBytes = '0'} = parseNetwork(`a\nb\neth0: ${junk}`);
      t.false(Number.isNaN(Number(networkRxBytes)));
      const [own] = parseInterfaces(`a\nb\neth0: ${junk}`);
      t.false(Object.values(own ?? {}).includes('NaN'));
      t.false(JSON.stringify(parseDisks(` 8 0 sda ${junk}`)).includes('NaN'));
    }),
  );
});

test('a sample costs few CPU', t => {
  // The bench prints the figure and its limit of 1 ms; machines that run tests are slower and busy.
  t.true(measureSampleCpuMs(200) < 10);
});
