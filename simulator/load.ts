import type {HardwareJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import type {MetricsJson} from '@muster/proto/gen/muster/v1/metrics_pb.ts';
import {sentBytesOf, type SessionRecord} from './ledger.ts';
import type {Random} from './random.ts';

const dayMs = 86_400_000;
const receivedBytesPerSampleMax = 50_000_000;

/** What a machine measures: a load that follows the hours, and values that fit its hardware. */
export function createLoad(hardware: HardwareJson, random: Random) {
  const memoryBytes = Number(hardware.memory?.totalBytes ?? 0);
  const diskBytes = (hardware.disks ?? []).reduce((sum, disk) => sum + Number(disk.sizeBytes), 0);
  const threads = (hardware.cpus ?? []).reduce((sum, cpu) => sum + (cpu.threads ?? 0), 0);
  const busy = 5 + random.next() * 50;
  const phase = random.next() * 2 * Math.PI;
  const diskShare = 0.05 + random.next() * 0.6;
  const coolest = 28 + random.next() * 10;
  let received = 0;
  let loads: readonly [number, number, number] = [0, 0, 0];

  return {
    sample(time: Date, uptimeSeconds: number, session: SessionRecord): MetricsJson {
      const wave = Math.sin((time.getTime() / dayMs) * 2 * Math.PI + phase);
      const cpu = Math.min(100, Math.max(0.1, busy * (1 + 0.5 * wave) + random.next() * 8));
      const running = (cpu / 100) * threads;
      loads = [
        follow(loads[0], running, 6),
        follow(loads[1], running, 30),
        follow(loads[2], running, 90),
      ];
      received += random.integer(10_000, receivedBytesPerSampleMax);
      return {
        time: time.toISOString(),
        cpuUsagePercent: rounded(cpu),
        memoryUsedBytes: String(Math.floor(memoryBytes * (0.1 + cpu / 200))),
        memoryTotalBytes: String(memoryBytes),
        diskUsedBytes: String(Math.floor(diskBytes * diskShare)),
        diskTotalBytes: String(diskBytes),
        networkRxBytes: String(received),
        networkTxBytes: String(sentBytesOf(session, session.made + 1, random.next())),
        loadAverage1: rounded(loads[0]),
        loadAverage5: rounded(loads[1]),
        loadAverage15: rounded(loads[2]),
        temperature: rounded(coolest + cpu * 0.35),
        powerState: 'on',
        uptime: rounded(uptimeSeconds),
      };
    },
  };
}

export type Load = ReturnType<typeof createLoad>;

const rounded = (value: number): number => Math.round(value * 100) / 100;

const follow = (before: number, now: number, samples: number): number =>
  before + (now - before) / samples;
