import {setImmediate} from 'node:timers/promises';
import type {MeasuredMachine} from '../domain/fleet-metrics.ts';
import type {MachineFamily} from './exposition-families.ts';
import {writeNumber} from './write-number.ts';

/** Read at a stretch; look-ups of others go between. */
const machinesAtAStretch = 1000;
/** "} ", the longest number of JavaScript, and the end of the line. */
const valueBytesMax = 32;
const [closingBrace, space, lineFeed] = [0x7d, 0x20, 0x0a];
/** In a column: the machine has no such value. */
const absent = Number.NaN;

/** The labels of every machine as bytes one after the other, and where those of each end. */
export type LabelBytes = {readonly bytes: Buffer; readonly ends: readonly number[]};

type Lines = {readonly labels: LabelBytes; readonly values: Float64Array; readonly bytes: Buffer};

/**
 * One line a machine, for each of these families. As bytes: made of strings, a page of 10,000 machines costs five times as much. The lines of a family
 * of which no number has changed since the last page, as sizes and states, are those of that page.
 */
export function createMachineLines(families: readonly MachineFamily[]) {
  const known = new Map<MachineFamily, Lines>();

  return async function render(
    machines: readonly MeasuredMachine[],
    labels: LabelBytes,
  ): Promise<readonly Buffer[]> {
    const columns = await readColumns(families, machines);
    const pieces: Buffer[] = [];
    for (const [index, family] of families.entries()) {
      const values = columns[index] ?? new Float64Array(0);
      const before = known.get(family);
      const isSame = before?.labels === labels && areSame(before.values, values);
      const lines = isSame ? before : {labels, values, bytes: write(family.name, values, labels)};
      known.set(family, lines);
      pieces.push(lines.bytes);
      if (!isSame) await setImmediate();
    }
    return pieces;
  };
}

/** Machine by machine: family by family, each machine would be fetched into the processor's cache once for each of them. */
async function readColumns(
  families: readonly MachineFamily[],
  machines: readonly MeasuredMachine[],
): Promise<readonly Float64Array[]> {
  const columns = families.map(({value}) => ({value, to: new Float64Array(machines.length)}));
  for (const [index, machine] of machines.entries()) {
    for (const {value, to} of columns) to[index] = value(machine) ?? absent;
    if (index % machinesAtAStretch === 0) await setImmediate();
  }
  return columns.map(({to}) => to);
}

function areSame(some: Float64Array, others: Float64Array): boolean {
  if (some.length !== others.length) return false;
  for (let at = 0; at < some.length; at++) if (!Object.is(some[at], others[at])) return false;
  return true;
}

function write(family: string, values: Float64Array, {bytes, ends}: LabelBytes): Buffer {
  const name = Buffer.from(`${family}{`);
  const lines = Buffer.allocUnsafe(bytes.length + values.length * (name.length + valueBytesMax));
  let at = 0;
  let start = 0;
  for (let index = 0; index < values.length; index++) {
    const end = ends[index] ?? start;
    const value = values[index] ?? absent;
    if (!Number.isNaN(value)) {
      at += name.copy(lines, at);
      at += bytes.copy(lines, at, start, end);
      lines[at] = closingBrace;
      lines[at + 1] = space;
      at = writeNumber(lines, at + 2, value);
      lines[at++] = lineFeed;
    }
    start = end;
  }
  return lines.subarray(0, at);
}
