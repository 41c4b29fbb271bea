import {type Logger, pino, type SerializedError} from 'pino';

export type {Logger} from 'pino';

/** JSON lines on standard output. Anything that may hold a secret is cut out wherever it stands. */
export function createLogger(process: string, level = 'info'): Logger {
  return pino({
    level,
    base: {process},
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: ['password', 'token', 'code', 'seed', 'authorization', 'cookie', 'jwt'].flatMap(
        name => [name, `*.${name}`],
      ),
      censor: '[secret]',
    },
    serializers: {err: serializeError},
  });
}

/** The code of an error ("ECONNRESET") lets nobody in: under a name of its own it is not cut out. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const {code, ...rest} = pino.stdSerializers.err(error) as SerializedError & {code?: unknown};
  return code === undefined ? rest : {...rest, errorCode: code};
}

export const silentLogger: Logger = pino({enabled: false});
