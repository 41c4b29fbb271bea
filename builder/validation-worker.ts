import type {Client} from '@connectrpc/connect';
import {
  type BuildService,
  type ClaimValidationResponse,
  Diagnostic_Kind,
} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import type {Logger, Outages} from '@muster/runtime/log.ts';
import type {Backend} from './backends/backend.ts';
import type {DiagnosticInit} from './backends/configuration-error.ts';
import type {BusSession} from './bus-session.ts';
import {claimUnlessOver, type JobObserver, startSlots} from './job-slots.ts';
import {retryWhileTransient} from './retry.ts';

const callTimeoutMs = 30_000;
const finishDelayMaxMs = 5000;
const finishLimitMs = 60_000;

export type ValidationWorkerDeps = {
  readonly builds: Pick<Client<typeof BuildService>, 'claimValidation' | 'finishValidation'>;
  readonly bus: Pick<BusSession, 'validations'>;
  readonly backends: readonly Backend[];
  readonly observer?: JobObserver;
  readonly outages: Outages;
  readonly log: Logger;
};

/** Checks configurations for people who wait for the answer, in slots of its own: never behind a build. */
export function startValidationWorker(deps: ValidationWorkerDeps, slots: number): AsyncDisposable {
  const able = deps.backends.filter(({validate}) => validate !== undefined);
  return startSlots(
    {
      noun: 'validation',
      idField: 'validationId',
      consumer: deps.bus.validations,
      observer: deps.observer,
      outages: deps.outages,
      log: deps.log,
      async isReady() {
        for (const backend of able) if ((await backend.findMissing()) === undefined) return true;
        return false;
      },
      async work(validationId, {signal}) {
        const claim = await claimUnlessOver(() =>
          deps.builds.claimValidation({validationId}, {timeoutMs: callTimeoutMs}),
        );
        if (claim) await validate(deps, {validationId, claim}, signal);
        else deps.log.info({validationId}, 'nobody waits for the validation: job dropped');
      },
    },
    slots,
  );
}

async function validate(
  deps: ValidationWorkerDeps,
  {validationId, claim}: {validationId: string; claim: ClaimValidationResponse},
  signal: AbortSignal,
): Promise<void> {
  const log = deps.log.child({validationId});
  const started = performance.now();
  const diagnostics = await findDiagnostics(deps, claim, signal);
  const durationMs = Math.round(performance.now() - started);
  try {
    await retryWhileTransient(
      () =>
        deps.builds.finishValidation(
          {validationId, diagnostics: [...diagnostics], durationMs},
          {timeoutMs: callTimeoutMs},
        ),
      {
        // Whoever waits has long gone away after that.
        signal: AbortSignal.any([signal, AbortSignal.timeout(finishLimitMs)]),
        delayMaxMs: finishDelayMaxMs,
        onRetry: error => log.warn({err: error}, 'cannot finish the validation yet, trying again'),
      },
    );
    log.info({diagnostics: diagnostics.length, durationMs}, 'validation finished');
  } catch (error) {
    signal.throwIfAborted();
    log.warn({err: error}, 'the result of the validation was dropped');
  }
}

/** Throws only when the builder stops: then another one checks it. */
async function findDiagnostics(
  {backends, log}: ValidationWorkerDeps,
  {spec, timeLimitSeconds}: ClaimValidationResponse,
  signal: AbortSignal,
): Promise<readonly DiagnosticInit[]> {
  const limit = AbortSignal.timeout(timeLimitSeconds > 0 ? timeLimitSeconds * 1000 : 2 ** 31 - 1);
  const backend = backends.find(({name}) => name === spec?.backend);
  if (!spec || !backend?.validate)
    return [other(`This builder cannot check configurations of "${spec?.backend ?? ''}"`)];
  try {
    return await backend.validate(spec, {
      signal: AbortSignal.any([signal, limit]),
      log: line => log.debug({line}, 'validation'),
    });
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted)
      return [
        {
          kind: Diagnostic_Kind.TIME_LIMIT,
          message: `The check took longer than its limit of ${timeLimitSeconds} s`,
        },
      ];
    return [other(error instanceof Error ? error.message : String(error))];
  }
}

const other = (message: string): DiagnosticInit => ({kind: Diagnostic_Kind.OTHER, message});
