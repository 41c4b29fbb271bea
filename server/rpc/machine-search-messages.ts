import {
  type MachineField as FieldMessage,
  MachineField_Type,
  MachineFieldSchema,
} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {create} from '@bufbuild/protobuf';
import {isSortable, type MachineField} from '../store/machine-fields.ts';
import {hasFacet} from '../store/machine-search.ts';

const types: Readonly<Record<string, MachineField_Type>> = {
  number: MachineField_Type.NUMBER,
  time: MachineField_Type.TIME,
  boolean: MachineField_Type.BOOLEAN,
  stuck: MachineField_Type.BOOLEAN,
  enum: MachineField_Type.ENUM,
  presence: MachineField_Type.ENUM,
  labels: MachineField_Type.LABELS,
};

export function toFieldMessage(field: MachineField): FieldMessage {
  const {name, source, index} = field;
  const kind = source.kind === 'hardware' ? source.field.type : source.kind;
  return create(MachineFieldSchema, {
    name,
    type: types[kind] ?? MachineField_Type.TEXT,
    repeated: isRepeated(field),
    values: valuesOf(field),
    sortable: isSortable(field),
    facet: hasFacet(field),
    indexed: index !== '',
  });
}

/** What a machine's message is made of, where the names differ. */
const columnsOfFields: Readonly<Record<string, readonly string[]>> = {
  stuck_reason: [],
  presence: [],
  last_seen_time: [],
  hardware: [
    'cpu_threads',
    'cpu_model',
    'memory_bytes',
    'disk_count',
    'disk_bytes',
    'firmware_mode',
  ],
};

/** The columns behind fields of the message; undefined is all. */
export function columnsOf(
  fields: ReadonlySet<string> | undefined,
): ReadonlySet<string> | undefined {
  return fields && new Set([...fields].flatMap(name => columnsOfFields[name] ?? [name]));
}

function isRepeated({source}: MachineField): boolean {
  if (source.kind === 'hardware') return source.field.path.some(segment => segment.endsWith('[]'));
  return source.kind === 'texts' || source.kind === 'templates' || source.kind === 'group';
}

function valuesOf({source}: MachineField): string[] {
  if (source.kind === 'presence') return ['ONLINE', 'OFFLINE', 'UNKNOWN'];
  return source.kind === 'enum' ? source.values.map(value => value.toUpperCase()) : [];
}
