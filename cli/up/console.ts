import {closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync} from 'node:fs';
import {join} from 'node:path';
import type {Writable} from 'node:stream';
import {styleText} from 'node:util';

const logSizeMaxBytes = 10 * 1024 * 1024;
/** On the terminal; the log file has all of it. */
const fieldLengthMax = 160;
const lineLengthMax = 16 * 1024;
const nameWidth = 9;
const colours = ['cyan', 'green', 'magenta', 'blue', 'yellow'] as const;

export type Console = Disposable & {
  /** What one process writes: into its log file as it is and, unless it is a detail, onto the terminal as a readable line. */
  line(name: string, text: string, detail?: boolean): void;
  /** Plain text of `up` itself. */
  say(text: string): void;
};

/**
 * One terminal for many processes. Each also has `<folder>/<name>.log`; at 10 MiB it becomes `<name>.log.1`, which replaces the one
 * before.
 */
export function openConsole({
  folder,
  out,
  coloured,
}: {
  folder: string;
  out: Writable;
  coloured: boolean;
}): Console {
  mkdirSync(folder, {recursive: true, mode: 0o750});
  const files = new Map<string, LogFile>();
  const names: string[] = [];

  return {
    line(name, text, detail = false) {
      if (!names.includes(name)) names.push(name);
      const file = files.get(name) ?? openLogFile(join(folder, `${name}.log`));
      files.set(name, file);
      const short = text.slice(0, lineLengthMax);
      file.write(`${short}\n`);

      const colour = colours[names.indexOf(name) % colours.length] ?? 'cyan';
      const prefix = `${name.padEnd(nameWidth)}│`;
      const shown = detail ? undefined : renderLine(short);
      if (shown === undefined) return;
      out.write(
        `${coloured ? styleText(colour, prefix, {validateStream: false}) : prefix} ${shown}\n`,
      );
    },
    say: text => void out.write(`${text}\n`),
    [Symbol.dispose]() {
      for (const file of files.values()) file.close();
    },
  };
}

const levels: Readonly<Record<number, string>> = {
  30: '',
  40: 'warning: ',
  50: 'error: ',
  60: 'fatal: ',
};
const hiddenFields = new Set(['level', 'time', 'process', 'msg', 'err', 'pid', 'hostname']);

/** A JSON log line as a sentence with its fields; any other text as it is. Undefined: too small a matter for the terminal. */
export function renderLine(text: string): string | undefined {
  const entry = parseEntry(text);
  if (!entry) return text;

  const level = typeof entry.level === 'number' ? levels[entry.level] : '';
  if (level === undefined) return undefined;
  const fields = Object.entries(entry)
    .filter(([key]) => !hiddenFields.has(key))
    .map(([key, value]) => `${key}=${shorten(value)}`);
  const time = typeof entry.time === 'string' ? `${entry.time.slice(11, 19)} ` : '';
  const message = typeof entry.msg === 'string' ? entry.msg : '';
  const words = [`${time}${level}${message}`, messageOf(entry.err), ...fields];
  return words.filter(word => word !== '').join('  ');
}

function shorten(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > fieldLengthMax ? `${text.slice(0, fieldLengthMax)}…` : text;
}

function parseEntry(text: string): Readonly<Record<string, unknown>> | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? {...value} : undefined;
  } catch {
    return undefined; // Not JSON: shown as it is.
  }
}

function messageOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('message' in error)) return '';
  return String(error.message);
}

type LogFile = {write(text: string): void; close(): void};

function openLogFile(path: string): LogFile {
  let fd = openSync(path, 'a', 0o640);
  let sizeBytes = fstatSync(fd).size;
  return {
    write(text) {
      sizeBytes += writeSync(fd, text);
      if (sizeBytes < logSizeMaxBytes) return;
      closeSync(fd);
      renameSync(path, `${path}.1`);
      fd = openSync(path, 'a', 0o640);
      sizeBytes = 0;
    },
    close: () => closeSync(fd),
  };
}
