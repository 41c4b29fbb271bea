import {constant, type Fragment, join, part, yes} from './fragments.ts';
import type {MachineField} from './machine-fields.ts';

// The order of a list of machines, and a place in it: what a page token holds.

export type OrderPart = {readonly field: MachineField; readonly descending: boolean};

const idField: MachineField = {name: 'id', source: {kind: 'id'}, index: ''};

/** The id decides among equals. */
export const withId = (order: readonly OrderPart[]): readonly OrderPart[] => [
  ...order,
  {field: idField, descending: lastDescending(order)},
];

/** As texts: what a page token holds. */
export const keysOf = (order: readonly OrderPart[]): Fragment =>
  join(
    order.map(({field}, index) => part`${keyText(field)} as ${constant(`key_${index}`)}`),
    ',',
  );

const lastDescending = (order: readonly OrderPart[]) => order.at(-1)?.descending ?? false;

export const orderBy = ({field, descending}: OrderPart) =>
  part`${keyValue(field)}${constant(descending ? ' desc' : '')}`;

function keyValue({name, source}: MachineField): Fragment {
  if (source.kind === 'id') return constant('machines.id');
  if (source.kind === 'enum') return constant(source.sql);
  if (source.kind === 'text') return constant(`lower(${source.sql})`);
  if (source.kind === 'number' || source.kind === 'time')
    return constant(source.orderSql ?? source.sql);
  throw new Error(`"${name}" cannot be sorted by`);
}

/** Times in microseconds, so that no digit is lost. */
function keyText(field: MachineField): Fragment {
  const value = keyValue(field);
  if (field.source.kind === 'time')
    return part`(extract(epoch from ${value}) * 1000000)::bigint::text`;
  return part`(${value})::text`;
}

function keyParameter({source}: MachineField, text: string): Fragment {
  if (source.kind === 'id') return part`${text}::uuid`;
  if (source.kind === 'number') return part`${text}::text::bigint`;
  if (source.kind === 'time')
    return part`('epoch'::timestamptz + ${text}::text::bigint * interval '1 microsecond')`;
  return part`${text}::text`;
}

export function afterKeys(order: readonly OrderPart[], after: readonly string[]): Fragment {
  const values = order.map(({field}, index) => keyParameter(field, after[index] ?? ''));
  const names = order.map(({field}) => keyValue(field));
  const descending = lastDescending(order);
  // As one row, which an index understands.
  if (order.every(part => part.descending === descending))
    return part`(${join(names, ',')}) ${constant(descending ? '<' : '>')} (${join(values, ',')})`;
  const steps = order.map((step, index) => {
    const same = names.slice(0, index).map((name, at) => part`${name} = ${values[at] ?? yes}`);
    const beyond = part`${names[index] ?? yes} ${constant(step.descending ? '<' : '>')} ${values[index] ?? yes}`;
    return part`(${join([...same, beyond], 'and')})`;
  });
  return part`(${join(steps, 'or')})`;
}
