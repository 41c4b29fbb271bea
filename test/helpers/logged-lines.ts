import {pino} from 'pino';
import type {Logger} from '@muster/runtime/log.ts';

export type LoggedLine = {readonly level: number; readonly msg: string};

export const levels = {debug: 20, info: 30, warn: 40} as const;

/** A logger whose lines a test looks at. */
export function keepLines(): {readonly log: Logger; readonly lines: readonly LoggedLine[]} {
  const lines: LoggedLine[] = [];
  const log = pino(
    {level: 'debug'},
    {write: (line: string) => void lines.push(JSON.parse(line) as LoggedLine)},
  );
  return {log, lines};
}
