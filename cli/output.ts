import {type DescEnum, type DescMessage, type MessageShape, toJson} from '@bufbuild/protobuf';
import {type Timestamp, timestampDate} from '@bufbuild/protobuf/wkt';
import {createRegistry} from '@bufbuild/protobuf';
import type {WriteStream} from 'node:tty';
import {styleText} from 'node:util';

export type Column<T> = {readonly title: string; readonly value: (row: T) => string};

export type Output = {
  /** One JSON document, or JSON lines for streams, in place of tables. */
  readonly json: boolean;
  /** A person looks at it. */
  readonly interactive: boolean;
  line(text: string): void;
  table<T>(columns: readonly Column<T>[], rows: readonly T[]): void;
  /** Name and value in two columns; empty values are left out. */
  record(fields: Readonly<Record<string, string>>): void;
  /** The resource as one JSON document. */
  document<D extends DescMessage>(schema: D, message: MessageShape<D>): void;
  documents<D extends DescMessage>(schema: D, messages: readonly MessageShape<D>[]): void;
  /** Resources as one JSON document, or as a table. */
  list<D extends DescMessage>(
    schema: D,
    columns: readonly Column<MessageShape<D>>[],
    messages: readonly MessageShape<D>[],
  ): void;
  /** The resource as one line of a stream. */
  jsonLine<D extends DescMessage>(schema: D, message: MessageShape<D>): void;
  colour(text: string): string;
  /** Replaces the last line while `interactive`. */
  progress(text: string): void;
};

type Stream = Pick<WriteStream, 'write'> & Partial<Pick<WriteStream, 'isTTY' | 'hasColors'>>;

const registry = createRegistry();

export function createOutput(out: Stream, json: boolean): Output {
  const interactive = out.isTTY === true && !json;
  const coloured = interactive && out.hasColors?.() === true;
  const colour = (text: string) => (coloured ? colourWord(text) : text);
  const clear = interactive ? '\r\u001B[K' : '';
  const line = (text: string) => void out.write(`${clear}${text}\n`);
  const asJson = <D extends DescMessage>(schema: D, message: MessageShape<D>) =>
    toJson(schema, message, {registry});
  const document = (json: unknown) => line(JSON.stringify(json, undefined, 2));
  const documents = <D extends DescMessage>(schema: D, messages: readonly MessageShape<D>[]) =>
    document(messages.map(message => asJson(schema, message)));
  const table = <T>(columns: readonly Column<T>[], rows: readonly T[]) => {
    for (const text of renderTable(columns, rows, colour)) line(text);
  };

  return {
    json,
    interactive,
    line,
    colour,
    table,
    record: fields => {
      const shown = Object.entries(fields).filter(([, value]) => value !== '');
      const width = Math.max(0, ...shown.map(([name]) => name.length));
      for (const [name, value] of shown) line(`${name.padEnd(width)}  ${colour(value)}`);
    },
    document: (schema, message) => document(asJson(schema, message)),
    documents,
    list: (schema, columns, messages) =>
      json ? documents(schema, messages) : table(columns, messages),
    jsonLine: (schema, message) => line(JSON.stringify(asJson(schema, message))),
    progress: text => {
      if (interactive) out.write(`${clear}${text}`);
    },
  };
}

/** Columns as wide as their longest cell; the last one is not padded. */
export function renderTable<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  colour: (text: string) => string = text => text,
): readonly string[] {
  const cells = rows.map(row => columns.map(column => column.value(row) || '-'));
  const widths = columns.map((column, index) =>
    Math.max(column.title.length, ...cells.map(row => row[index]?.length ?? 0)),
  );
  const join = (row: readonly string[], paint: (text: string) => string) =>
    row
      .map((cell, index) => paint(cell) + ' '.repeat((widths[index] ?? 0) - cell.length))
      .join('  ')
      .trimEnd();
  return [
    join(
      columns.map(column => column.title),
      text => text,
    ),
    ...cells.map(row => join(row, colour)),
  ];
}

const good = new Set(['ACTIVE', 'READY', 'SUCCEEDED', 'ONLINE', 'COMPLETED', 'online', 'passed']);
const bad = new Set(['FAILED', 'REJECTED', 'STALLED', 'OFFLINE', 'offline', 'revoked', 'failed']);
const pending = new Set(['PENDING', 'PROVISIONING', 'RUNNING', 'QUEUED', 'OPEN', 'DISCOVERED']);

function colourWord(text: string): string {
  const format = good.has(text)
    ? 'green'
    : bad.has(text)
      ? 'red'
      : pending.has(text)
        ? 'yellow'
        : undefined;
  return format ? styleText(format, text, {validateStream: false}) : text;
}

/** The name of an enum's value without the prefix that all share: "ACTIVE". */
export const nameOf = (schema: DescEnum, value: number): string =>
  schema.values.find(({number}) => number === value)?.localName ?? String(value);

const units = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const;

/** "3 min" ago; empty for what never was. */
export function age(time: Timestamp | undefined, nowMs = Date.now()): string {
  if (!time) return '';
  const seconds = Math.max(0, (nowMs - timestampDate(time).getTime()) / 1000);
  const [unit, size] = units.find(([, size]) => seconds >= size) ?? ['s', 1];
  return `${Math.floor(seconds / size)} ${unit}`;
}

/** Local time of day and date as people sort them: "2026-11-21 02:33:04". */
export function clock(time: Timestamp | undefined): string {
  if (!time) return '';
  const date = timestampDate(time);
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19).replace('T', ' ');
}

const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

export function bytes(count: bigint | number | undefined): string {
  if (count === undefined) return '';
  let value = Number(count);
  let unit = 0;
  while (value >= 1024 && unit < binaryUnits.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value >= 10 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${binaryUnits[unit]}`;
}

/** "[#####.....]  52 %" */
export function progressBar(percent: number, width = 24): string {
  const done = Math.round((Math.min(100, Math.max(0, percent)) / 100) * width);
  return `[${'#'.repeat(done)}${'.'.repeat(width - done)}] ${String(Math.round(percent)).padStart(3)} %`;
}
