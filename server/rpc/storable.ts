import {printable} from '../domain/identifiers.ts';
import {DomainError} from '../errors.ts';
import type {Labels} from '../store/machines.ts';

/** Text that people write is kept as it is; only what PostgreSQL cannot hold is refused. */
export function storable(text: string, name: string): string {
  if (text.includes('\0'))
    throw new DomainError(
      'invalid_argument',
      `Cannot keep "${printable(name, 64)}": it contains a zero byte; text only`,
    );
  if (!text.isWellFormed())
    throw new DomainError(
      'invalid_argument',
      `Cannot keep "${printable(name, 64)}": it contains half of a surrogate pair; text only`,
    );
  return text;
}

export function storableLabels(labels: Readonly<Record<string, string>>): Labels {
  for (const [key, value] of Object.entries(labels)) storable(value, `label ${key}`);
  return labels;
}
