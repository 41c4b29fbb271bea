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

const outageLineEveryMs = 60_000;

export type Outage = {
  /** What is away, for people: "NATS". */
  readonly what: string;
  readonly message: string;
  readonly err?: unknown;
  readonly level?: 'warn' | 'error';
};

export type Outages = {
  /** Of each try: one line a minute is written, whatever is away. */
  failed(outage: Outage): void;
  /** One line when all that was away is there again, if it was told that it was away. */
  works(what: string): void;
};

/** What a process tells of others that come and go. Many parts of it wait for the same thing: the lines of all of them are counted together. */
export function createOutages(log: Logger, nowMs = () => performance.now()): Outages {
  let lastLineMs = -Infinity;
  let told: {readonly sinceMs: number; readonly whats: Set<string>} | undefined;
  const away = new Map<string, number>();
  return {
    failed({what, message, level = 'warn', ...context}) {
      const ms = nowMs();
      if (!away.has(what)) away.set(what, ms);
      told?.whats.add(what);
      if (ms - lastLineMs < outageLineEveryMs) return log.debug(context, message);
      lastLineMs = ms;
      told ??= {sinceMs: Math.min(...away.values()), whats: new Set(away.keys())};
      log[level](context, message);
    },
    works(what) {
      away.delete(what);
      if (away.size > 0 || !told) return;
      const {sinceMs, whats} = told;
      told = undefined;
      const awaySeconds = Math.round((nowMs() - sinceMs) / 1000);
      log.info({awaySeconds}, `there again: ${[...whats].join(', ')}`);
    },
  };
}

export const silentLogger: Logger = pino({enabled: false});
