import type {Hardware} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import type {PartState} from '../domain/hardware-parts.ts';
import {macKind, parseMacAddress} from '../domain/identifiers.ts';

export type Field<T> = Exclude<keyof T & string, '$typeName' | '$unknown'>;

/** How the parts of one kind are read from a report. Each field of the message stands in exactly one place; a test walks them all. */
export type Rule<T> = {
  readonly read: (hardware: Hardware) => readonly T[];
  readonly slot: (item: T) => string;
  /** Canonical; undefined and empty when there is none. */
  readonly serial: (item: T) => string | undefined;
  readonly model: (item: T) => string;
  /** Fields that slot, serial and model are made of. */
  readonly named: readonly Field<T>[];
  readonly lasting: readonly Field<T>[];
  /** Lasting values that are no plain field. */
  readonly derived?: (item: T) => Readonly<Record<string, string>>;
  /** Values that make no version, and why. */
  readonly ignored: Partial<Readonly<Record<Field<T>, string>>>;
  readonly state?: (item: T) => PartState;
  readonly collectors: readonly string[];
  /** Whether "absent" means that the machine has none; else it may be a driver or a tool that is missing in the image. */
  readonly absenceCounts: boolean;
};

export const one = <T>(item: T | undefined): readonly T[] => (item ? [item] : []);
export const join = (...words: readonly string[]): string => words.filter(Boolean).join(' ').trim();
export const nowhere = () => '';
export const withoutSerial = () => undefined;

/** An address that is on this part alone: burnt in by the vendor. */
export function universalMac(...texts: readonly string[]): string | undefined {
  return texts.map(parseMacAddress).find(mac => mac !== undefined && macKind(mac) === 'universal');
}
