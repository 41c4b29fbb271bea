import {stripVTControlCharacters} from 'node:util';

/** One line of `--log-format internal-json` (NixOS/nix src/libutil/logging.cc). Ids go beyond 2^53, so they are text. */
export type NixEvent =
  | {
      readonly action: 'start';
      readonly id: string;
      readonly type: number;
      readonly text: string;
      readonly fields: readonly NixField[];
    }
  | {readonly action: 'stop'; readonly id: string}
  | {
      readonly action: 'result';
      readonly id: string;
      readonly type: number;
      readonly fields: readonly NixField[];
    }
  | NixMessage
  /** A line that is no JSON: of the dynamic loader, the garbage collector, git, ssh. */
  | {readonly action: 'text'; readonly text: string};

export type NixField = string | number;

export type NixMessage = {
  readonly action: 'message';
  /** 0 error, 1 warning, 2 notice, 3 info, 4 and more: details. */
  readonly level: number;
  /** Without the trace. */
  readonly text: string;
  /** With trace and source lines. */
  readonly full: string;
  readonly file: string;
  /** From 1; 0 is unknown. */
  readonly line: number;
  readonly column: number;
};

export const activity = {
  copyPath: 100,
  fileTransfer: 101,
  copyPaths: 103,
  builds: 104,
  build: 105,
  substitute: 108,
} as const;

export const result = {
  buildLogLine: 101,
  setPhase: 104,
  progress: 105,
  postBuildLogLine: 107,
} as const;

const prefix = '@nix ';

/** Never throws: what cannot be understood is kept as text. */
export function parseNixLine(line: string): NixEvent {
  const text = (): NixEvent => ({action: 'text', text: plain(line)});
  if (!line.startsWith(prefix)) return text();
  const event = parseObject(withoutTrace(line.slice(prefix.length)));
  if (!event) return text();

  const id = typeof event.id === 'string' ? event.id : '';
  const type = Number(event.type ?? 0);
  switch (event.action) {
    case 'start':
      return {action: 'start', id, type, text: textOf(event.text), fields: fieldsOf(event.fields)};
    case 'stop':
      return {action: 'stop', id};
    case 'result':
      return {action: 'result', id, type, fields: fieldsOf(event.fields)};
    case 'msg':
      return messageOf(event);
    default:
      return text();
  }
}

function messageOf(event: Readonly<Record<string, unknown>>): NixMessage {
  const full = textOf(event.msg).replace(/^error:\s*/, '');
  return {
    action: 'message',
    level: Number(event.level ?? 0),
    text: textOf(event.raw_msg) || full,
    full,
    // Since 2.2x the name carries the position once more.
    file: textOf(event.file).replace(/:\d+:\d+$/, ''),
    line: Number(event.line ?? 0),
    column: Number(event.column ?? 0),
  };
}

/** Since 2.20 the trace of an error comes once more as its last field. It may be longer than what is kept of a line. */
function withoutTrace(json: string): string {
  const start = json.indexOf(',"trace":[');
  return start < 0 || !json.startsWith('{"action":"msg"') ? json : `${json.slice(0, start)}}`;
}

function parseObject(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(json, keepIds);
    return typeof value === 'object' && value !== null
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** `context.source`: the number as it was written. */
const keepIds = (name: string, value: unknown, context?: {readonly source?: string}): unknown =>
  name === 'id' || name === 'parent' ? (context?.source ?? value) : value;

const fieldsOf = (value: unknown): readonly NixField[] =>
  Array.isArray(value)
    ? value.map(field => (typeof field === 'number' ? field : plain(String(field))))
    : [];

const textOf = (value: unknown): string => (typeof value === 'string' ? plain(value) : '');

/** Without colours and other escape sequences. */
export const plain = (text: string): string => stripVTControlCharacters(text);
