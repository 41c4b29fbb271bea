import {printable} from '../domain/identifiers.ts';
import {DomainError} from '../errors.ts';

/** What can be changed of a resource, by the names of the contract. */
export type Changeable<Message, Change> = Readonly<Record<string, (message: Message) => Change>>;

/** What the paths name of a message. Throws invalid_argument. */
export function pickFields<Message, Change extends object>(
  noun: string,
  changeable: Changeable<Message, Change>,
  message: Message,
  paths: readonly string[],
): Change {
  const parts = paths
    // A client that sends back what it got names the resource in it too.
    .filter(path => path !== 'id')
    .map(path => {
      const read = changeable[path];
      if (!read)
        throw new DomainError(
          'invalid_argument',
          `Cannot change "${printable(path, 64)}" of a ${noun}: what can be changed is ${namesOf(changeable)}`,
        );
      return read(message);
    });
  return Object.assign({}, ...parts) as Change;
}

/** The same for an update, which changes something and leaves a name. */
export function pickChange<Message extends {readonly id: string}, Change extends object>(
  noun: string,
  changeable: Changeable<Message, Change>,
  message: Message,
  paths: readonly string[],
): Change {
  const change = pickFields(noun, changeable, message, paths);
  const isNameless = 'name' in change && change.name === '';
  if (Object.keys(change).length > 0 && !isNameless) return change;
  const rule = 'name' in changeable ? '; a name is never empty' : '';
  throw new DomainError(
    'invalid_argument',
    `Cannot change ${noun} "${message.id}": name the fields to change, one or more of ${namesOf(changeable)}${rule}`,
  );
}

const namesOf = (changeable: object): string => Object.keys(changeable).join(', ');
