import {DomainError} from '../errors.ts';
import {isSortable, machineFields} from '../store/machine-fields.ts';
import type {OrderPart} from '../store/machine-keys.ts';

const orderPartsMax = 3;

/** "hostname, create_time desc" */
export function parseOrder(text: string): readonly OrderPart[] {
  if (text.trim() === '') return parseOrder('create_time');
  const parts = text.split(',').map(part => part.trim().split(/\s+/));
  const refuse = (problem: string) =>
    new DomainError('invalid_argument', `Cannot order by "${text}": ${problem}`);
  if (parts.length > orderPartsMax) throw refuse(`name at most ${orderPartsMax} fields`);
  const order = parts.map(([name = '', direction = 'asc', ...rest]) => {
    const field = machineFields.get(name);
    if (!field || !isSortable(field))
      throw refuse(`"${name}" is no field that machines can be ordered by`);
    if (!/^(asc|desc)$/i.test(direction) || rest.length > 0)
      throw refuse(`after "${name}" comes nothing, "asc" or "desc"`);
    return {field, descending: direction.toLowerCase() === 'desc'};
  });
  const names = order.map(({field}) => field.name);
  if (new Set(names).size < names.length) throw refuse('it names a field twice');
  return order;
}
