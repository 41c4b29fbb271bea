import {type HardwareField, hardwareFields} from './hardware-fields.ts';
import {machineStates} from './machines.ts';

/** How a field is stored decides how it is compared. `sql` is an expression over `machines` and `machine_presence`. */
export type FieldSource =
  | {readonly kind: 'id'}
  | {
      readonly kind: 'text' | 'number' | 'time';
      readonly sql: string;
      /** In place of `sql` where that may be null. */
      readonly orderSql?: string;
      /** How one value is looked up, by an index: the value, in lower case, comes between the two. */
      readonly lookup?: readonly [string, string];
    }
  | {
      readonly kind: 'enum';
      readonly sql: string;
      readonly values: readonly string[];
      /** Of levels that include those before them: < and > mean something. */
      readonly ordered: boolean;
    }
  | {readonly kind: 'texts'; readonly sql: string}
  | {readonly kind: 'hardware'; readonly field: HardwareField}
  | {readonly kind: 'labels' | 'templates'}
  | {readonly kind: 'presence'}
  | {readonly kind: 'stuck'}
  | {readonly kind: 'group'};

export type MachineField = {
  readonly name: string;
  readonly source: FieldSource;
  /** What makes a search by it fast; empty: each machine that the rest of the filter leaves is looked at. */
  readonly index: string;
};

const text = (sql: string): FieldSource => ({kind: 'text', sql});
const time = (sql: string): FieldSource => ({kind: 'time', sql});
const number = (sql: string): FieldSource => ({kind: 'number', sql});
const trusts = ['seen', 'token', 'approved'];

/** The one table of what a filter, an order and a facet may name. */
const sources: Readonly<Record<string, FieldSource>> = {
  id: {kind: 'id'},
  state: {kind: 'enum', sql: 'state', values: machineStates, ordered: false},
  state_reason: text('state_reason'),
  state_time: time('state_time'),
  workspace_time: time('workspace_time'),
  stuck: {kind: 'stuck'},
  presence: {kind: 'presence'},
  last_seen_time: {
    kind: 'time',
    sql: 'last_seen_time',
    orderSql: `coalesce(last_seen_time, 'epoch')`,
  },
  trust: {kind: 'enum', sql: 'trust', values: trusts, ordered: true},
  quarantine_reason: text('quarantine_reason'),
  ban_reason: text('ban_reason'),
  service_tag: text('service_tag'),
  uuid: text('uuid'),
  manufacturer: text('manufacturer'),
  product: text('product'),
  mac_address: text('mac_address'),
  mac_addresses: {kind: 'texts', sql: 'mac_addresses'},
  hostname: text('hostname'),
  description: text('description'),
  notes: text('notes'),
  labels: {kind: 'labels'},
  group: {kind: 'group'},
  workspace: {
    kind: 'text',
    sql: `coalesce((select name from workspaces where workspaces.id = machines.workspace_id), '')`,
    lookup: ['machines.workspace_id = (select id from workspaces where name = ', ')'],
  },
  templates: {kind: 'templates'},
  nixos_config: text('nixos_config'),
  desired_image_id: text(`coalesce(desired_image_id, '')`),
  booted_image_id: text(`coalesce(booted_image_id, '')`),
  last_good_image_id: text(`coalesce(last_good_image_id, '')`),
  bad_image_ids: {kind: 'texts', sql: 'bad_image_ids'},
  clock_skew_ms: {kind: 'number', sql: 'clock_skew_ms', orderSql: 'coalesce(clock_skew_ms, 0)'},
  create_time: time('create_time'),
  update_time: time('update_time'),
  'hardware.cpu_threads': number('cpu_threads'),
  'hardware.cpu_model': text('cpu_model'),
  'hardware.memory_bytes': number('memory_bytes'),
  'hardware.disk_count': number('disk_count'),
  'hardware.disk_bytes': number('disk_bytes'),
  'hardware.firmware_mode': text('firmware_mode'),
};

const indexes: Readonly<Record<string, string>> = {
  id: 'machines_pkey',
  state: 'machines_by_state',
  service_tag: 'machines_by_service_tag',
  uuid: 'machines_by_uuid',
  product: 'machines_by_product',
  workspace: 'machines_by_workspace',
  mac_addresses: 'machines_by_mac',
  hostname: 'machines_by_hostname',
  labels: 'machines_by_label',
  templates: 'machines_by_template',
  create_time: 'machines_by_creation',
  'hardware.memory_bytes': 'machines_by_memory',
};

export const machineFields: ReadonlyMap<string, MachineField> = new Map(
  [
    ...Object.entries(sources),
    ...[...hardwareFields].map(([name, field]): [string, FieldSource] => [
      name,
      {kind: 'hardware', field},
    ]),
  ].map(([name, source]) => {
    const index = indexes[name] ?? (source.kind === 'hardware' ? 'machine_search_by_facts' : '');
    return [name, {name, source, index}];
  }),
);

/** `labels.rack` is the field `labels` and the key "rack". */
export function findMachineField(
  path: readonly string[],
): {readonly field: MachineField; readonly key: string | undefined} | undefined {
  if (path[0] === 'labels' && path.length > 1) {
    const field = machineFields.get('labels');
    return field && {field, key: path.slice(1).join('.')};
  }
  const field = machineFields.get(path.join('.'));
  return field && {field, key: undefined};
}

/** The names that are most like this one, for "did you mean". */
export function similarFields(name: string): readonly string[] {
  const last = name.split('.').at(-1) ?? name;
  return [...machineFields.keys()]
    .filter(known => known.includes(last) || last.includes(known))
    .slice(0, 3);
}

/** By single columns only. */
export const isSortable = ({source: {kind}}: MachineField): boolean =>
  kind === 'id' || kind === 'text' || kind === 'number' || kind === 'time' || kind === 'enum';
