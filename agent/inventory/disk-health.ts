import type {DiskHealthJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {compact, isObject, type JsonObject, parseObject} from '../json.ts';
import type {Tools} from '../run-command.ts';
import type {Tree} from './tree.ts';

const askTimeoutMs = 4000;
/** For all disks together: one that hangs costs its own answer, and those after it theirs. */
export const healthTimeoutMs = 20_000;

/** ATA attributes: reallocated and pending sectors, and those that could not be read offline. */
const ata = {reallocated: 5, pending: 197, uncorrectable: 198} as const;

/** Critical warnings of NVMe (NVM Express Base Specification, SMART / Health Information). Heat, bit 1, passes. */
const nvmeWarnings: readonly (readonly [bit: number, reason: string])[] = [
  [0, 'the spare space is below its threshold'],
  [2, 'its reliability is degraded'],
  [3, 'the medium is read-only'],
  [4, 'the backup of its volatile memory failed'],
];

/** Of each disk that could be asked; never rejects. `smartctl` knows all kinds, `nvme` its own, and the kernel what it gave up. */
export async function readDiskHealths(
  tree: Tree,
  tools: Tools,
  names: readonly string[],
): Promise<ReadonlyMap<string, DiskHealthJson>> {
  const deadlineMs = performance.now() + healthTimeoutMs;
  const healths = new Map<string, DiskHealthJson>();
  for (const name of names) {
    const health =
      performance.now() < deadlineMs
        ? await askDisk(tools, name).catch(() => undefined)
        : undefined;
    const known = health ?? (await readKernelVerdict(tree, name));
    if (known) healths.set(name, known);
  }
  return healths;
}

async function askDisk(tools: Tools, name: string): Promise<DiskHealthJson | undefined> {
  // A disk that sleeps is left asleep.
  const args = ['--json', '-n', 'standby', '-H', '-A', `/dev/${name}`];
  const told = await tools.capture('smartctl', args, askTimeoutMs);
  const health = told === undefined ? undefined : parseSmartctl(told);
  if (health || !name.startsWith('nvme')) return health;
  const log = await tools.capture(
    'nvme',
    ['smart-log', '-o', 'json', `/dev/${name}`],
    askTimeoutMs,
  );
  return log === undefined ? undefined : parseNvmeCli(log);
}

/** Of `smartctl --json` 7. Undefined when the disk did not say whether it passes. */
export function parseSmartctl(text: string): DiskHealthJson | undefined {
  const answer = parseObject(text);
  const nvme = objectAt(answer, 'nvme_smart_health_information_log');
  if (answer && nvme) return nvmeHealth(nvme, 'percentage_used');

  const passed = objectAt(answer, 'smart_status')?.passed;
  if (!answer || typeof passed !== 'boolean') return undefined;
  const table = objectAt(answer, 'ata_smart_attributes')?.table;
  const rows = Array.isArray(table) ? table.filter(isObject) : [];
  const raw = (id: number) =>
    counted(
      objectAt(
        rows.find(row => row.id === id),
        'raw',
      )?.value,
    );
  const failing = rows.filter(row => row.when_failed === 'now').map(row => String(row.name));
  return compact<DiskHealthJson>({
    verdict: passed ? 'VERDICT_PASSED' : 'VERDICT_FAILED',
    reason: passed ? undefined : reasonOf(failing.map(name => `${name} is past its threshold`)),
    powerOnHours: asText(counted(objectAt(answer, 'power_on_time')?.hours)),
    reallocatedSectors: asText(raw(ata.reallocated) ?? counted(answer.scsi_grown_defect_list)),
    pendingSectors: asText(raw(ata.pending)),
    mediaErrors: asText(raw(ata.uncorrectable) ?? scsiErrors(answer)),
    percentageUsed: counted(answer.scsi_percentage_used_endurance_indicator),
  });
}

/** Of `nvme smart-log -o json`, 1 and 2. */
export function parseNvmeCli(text: string): DiskHealthJson | undefined {
  const log = parseObject(text);
  return log && nvmeHealth(log, 'percent_used');
}

function nvmeHealth(log: JsonObject, used: string): DiskHealthJson | undefined {
  const warning = counted(objectAt(log, 'critical_warning')?.value ?? log.critical_warning);
  if (warning === undefined) return undefined;
  const reasons = nvmeWarnings.filter(([bit]) => (warning & (1 << bit)) !== 0);
  return compact<DiskHealthJson>({
    verdict: reasons.length === 0 ? 'VERDICT_PASSED' : 'VERDICT_FAILED',
    reason: reasons.length === 0 ? undefined : reasonOf(reasons.map(([, reason]) => reason)),
    powerOnHours: asText(counted(log.power_on_hours)),
    mediaErrors: asText(counted(log.media_errors)),
    percentageUsed: counted(log[used]),
  });
}

/** Without any tool: what the kernel no longer talks to has failed; that it talks proves nothing. */
async function readKernelVerdict(tree: Tree, name: string): Promise<DiskHealthJson | undefined> {
  const state = await tree.text(`/sys/block/${name}/device/state`);
  if (state !== 'dead' && state !== 'offline') return undefined;
  return {verdict: 'VERDICT_FAILED', reason: `the kernel has given it up (${state})`};
}

function scsiErrors(answer: JsonObject): number | undefined {
  const log = objectAt(answer, 'scsi_error_counter_log');
  const counts = ['read', 'write', 'verify'].flatMap(
    name => counted(objectAt(log, name)?.total_uncorrected_errors) ?? [],
  );
  return counts.length > 0 ? counts.reduce((sum, count) => sum + count) : undefined;
}

const reasonLengthMax = 256;
const reasonOf = (reasons: readonly string[]): string =>
  (reasons.join(', ') || 'it says so itself').slice(0, reasonLengthMax);

function objectAt(object: JsonObject | undefined, name: string): JsonObject | undefined {
  const value = object?.[name];
  return isObject(value) ? value : undefined;
}

const counted = (value: unknown): number | undefined =>
  Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined;

const asText = (count: number | undefined): string | undefined =>
  count === undefined ? undefined : String(count);
