import type {Labels} from '../store/machines.ts';
import type {LabelChange, OperatorChange} from './machines.ts';

/** What is done to each machine. */
export type BulkSpec =
  | {readonly action: 'update'; readonly change: OperatorChange}
  | {readonly action: 'label'; readonly labels: LabelChange}
  | {readonly action: 'build'}
  | {readonly action: 'reboot'}
  | {readonly action: 'delete'}
  | {readonly action: 'assign' | 'release'; readonly workspace: string}
  /** Changes it, when there is something to change, builds, and reboots into the image. */
  | {readonly action: 'rollout'; readonly change: OperatorChange};

type StoredSpec = {
  readonly change?: Readonly<Record<string, unknown>>;
  readonly set?: Labels;
  readonly remove?: readonly string[];
  readonly workspace?: string;
};

/** As JSON, in which a field that is emptied is null. */
export function storedSpec(spec: BulkSpec): StoredSpec {
  if ('labels' in spec) return {set: spec.labels.set, remove: spec.labels.remove};
  if ('workspace' in spec) return {workspace: spec.workspace};
  if (!('change' in spec)) return {};
  const fields = Object.entries(spec.change).map(([name, value]) => [name, value ?? null]);
  return {change: Object.fromEntries(fields) as Record<string, unknown>};
}

export function readSpec(action: BulkSpec['action'], stored: object): BulkSpec {
  const {change = {}, set = {}, remove = [], workspace = ''} = stored as StoredSpec;
  if (action === 'label') return {action, labels: {set, remove}};
  if (action === 'assign' || action === 'release') return {action, workspace};
  if (action !== 'update' && action !== 'rollout') return {action};
  const fields = Object.entries(change).map(([name, value]) => [name, value ?? undefined]);
  return {action, change: Object.fromEntries(fields) as OperatorChange};
}
