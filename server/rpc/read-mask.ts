import type {DescMessage, Message} from '@bufbuild/protobuf';
import type {FieldMask} from '@bufbuild/protobuf/wkt';
import {reflect, type ReflectMessage} from '@bufbuild/protobuf/reflect';
import {printable} from '../domain/identifiers.ts';
import {DomainError} from '../errors.ts';

const pathsMax = 64;

/** Keeps the fields that the mask names, and all of them without one. Throws invalid_argument when it names what is not there. */
export function readMask(desc: DescMessage, mask: FieldMask | undefined) {
  const paths = mask?.paths ?? [];
  if (paths.length > pathsMax)
    throw new DomainError(
      'invalid_argument',
      `Cannot read ${paths.length} fields: name at most ${pathsMax}`,
    );
  const split = paths.map(path => path.split('.'));
  for (const path of split) assertField(desc, path);
  return {
    /** Of the message's own fields, those that are wanted; undefined is all. */
    names: split.length === 0 ? undefined : new Set(split.map(([first = '']) => first)),
    apply<M extends Message>(message: M): M {
      if (split.length > 0) keep(reflect(desc, message), split);
      return message;
    },
  };
}

function assertField(desc: DescMessage, [name = '', ...rest]: readonly string[]): void {
  const field = desc.fields.find(candidate => candidate.name === name);
  if (!field)
    throw new DomainError(
      'invalid_argument',
      `Cannot read "${printable(name, 64)}": ${desc.name} has ${desc.fields.map(known => known.name).join(', ')}`,
    );
  if (rest.length === 0) return;
  if (field.fieldKind !== 'message')
    throw new DomainError(
      'invalid_argument',
      `Cannot read "${printable([name, ...rest].join('.'), 128)}": name "${name}" as a whole`,
    );
  assertField(field.message, rest);
}

function keep(message: ReflectMessage, paths: readonly (readonly string[])[]): void {
  for (const field of message.desc.fields) {
    const below = paths.filter(([first]) => first === field.name).map(([, ...rest]) => rest);
    if (below.length === 0) message.clear(field);
    else if (
      field.fieldKind === 'message' &&
      message.isSet(field) &&
      below.every(rest => rest.length > 0)
    )
      keep(message.get(field), below);
  }
}
