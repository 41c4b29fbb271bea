import {type Logger, pino} from 'pino';

export type {Logger} from 'pino';

/** JSON lines on standard output. Anything that may hold a secret is cut out wherever it stands. */
export function createLogger(process: string, level = 'info'): Logger {
  return pino({
    level,
    base: {process},
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: ['password', 'token', 'code', 'seed', 'authorization', 'jwt'].flatMap(name => [
        name,
        `*.${name}`,
      ]),
      censor: '[secret]',
    },
  });
}

export const silentLogger: Logger = pino({enabled: false});
