import type {CollectorJson, HardwareJson} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {describeError} from '../log.ts';
import type {Tools} from '../run-command.ts';
import type {SmbiosTable} from './smbios.ts';
import type {Tree} from './tree.ts';

/** What collectors read from. */
export type Source = {
  readonly tree: Tree;
  readonly tools: Tools;
  /** Undefined when the machine has no SMBIOS tables. */
  readonly smbios: SmbiosTable | undefined;
  /** Whether the tree is the running machine's own, so that the kernel may be asked by calls too. */
  readonly isOwnMachine: boolean;
};

/** Parts of the inventory. An empty one means that the machine or the image has nothing for this collector. */
export type Found = Partial<HardwareJson>;

export type Collector = {
  readonly name: string;
  readonly timeoutMs: number;
  readonly collect: (source: Source) => Promise<Found>;
  /** Why there may be nothing, for the collector's entry. */
  readonly absence: string;
};

const reasonLengthMax = 200;

/** Runs one collector within its time. Never rejects: what went wrong is in the entry. */
export async function runCollector(
  {name, timeoutMs, collect, absence}: Collector,
  source: Source,
): Promise<{readonly found: Found; readonly entry: CollectorJson}> {
  const startMs = performance.now();
  const timeout = Promise.withResolvers<'timeout'>();
  const timer = setTimeout(() => timeout.resolve('timeout'), timeoutMs);
  const entry = (state: CollectorJson['state'] & string, reason?: string): CollectorJson => ({
    name,
    state,
    durationMs: Math.round(performance.now() - startMs),
    ...(reason === undefined ? {} : {reason: reason.slice(0, reasonLengthMax)}),
  });
  try {
    const found = await Promise.race([collect(source), timeout.promise]);
    if (found === 'timeout')
      return {found: {}, entry: entry('STATE_TIMED_OUT', `Not done in ${timeoutMs} ms`)};
    const isEmpty = Object.values(found).every(value => value === undefined || isEmptyPart(value));
    if (isEmpty) return {found: {}, entry: entry('STATE_ABSENT', absence)};
    return {found, entry: entry('STATE_COLLECTED')};
  } catch (error) {
    return {found: {}, entry: entry('STATE_FAILED', describeError(error))};
  } finally {
    clearTimeout(timer);
  }
}

function isEmptyPart(value: object | string): boolean {
  return Object.keys(value).length === 0;
}
