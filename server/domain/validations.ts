import {DomainError} from '../errors.ts';
import type {BuildSpec} from '../store/builds.ts';
import type {Diagnostic} from '../store/diagnostics.ts';
import type {Machine} from '../store/machines.ts';
import * as store from '../store/validations.ts';
import type {Validation} from '../store/validations.ts';
import type {KeyedWakeUps} from '../wake-ups.ts';
import {assertBackend, factsOf, type LiveBuilder, nameOf} from './build-rules.ts';
import type {Builder} from './attempt-fence.ts';
import type {Deps} from './deps.ts';
import {bootProfileModule} from './inheritance.ts';
import type {BusStatus} from './presence.ts';
import {checkNixText} from './syntax-check.ts';
import {resolveTemplates} from './template-use.ts';

const jobsPerReviewMax = 100;

export type ValidationLimits = {
  /** From the call to the last answer. */
  readonly timeLimitMs: number;
  /** A job that nobody took, or a claim, is for another builder after so long. */
  readonly silentMs: number;
  readonly perCallerMax: number;
  readonly allMax: number;
};

export const validationLimits: ValidationLimits = {
  timeLimitMs: 120_000,
  silentMs: 30_000,
  perCallerMax: 3,
  allMax: 32,
};

export type ValidationPhase = 'syntax' | 'evaluation';

export type ValidationAnswer = {
  readonly phase: ValidationPhase;
  readonly diagnostics: readonly Diagnostic[];
  readonly durationMs: number;
};

export type ConfigToValidate = {
  /** Id, service tag, UUID or MAC; empty for the module alone. */
  readonly machine: string;
  /** Undefined: the machine's own. */
  readonly nixosConfig: string | undefined;
  readonly syntaxOnly: boolean;
};

export type Validations = ReturnType<typeof createValidations>;

export type ValidationsDeps = Deps & {
  /** With what it inherits. */
  readonly getMachine: (
    name: string,
  ) => Promise<Machine & {readonly bootArguments?: readonly string[]}>;
  readonly listLiveBuilders: () => Promise<readonly LiveBuilder[]>;
  readonly busStatus: () => BusStatus;
  /** Told by validation id through NOTIFY 'validations'. */
  readonly changes: KeyedWakeUps;
  readonly limits: ValidationLimits;
};

/** Checks of configurations that people wait for: the syntax here, the evaluation by a builder. A row lives as long as its caller waits. */
export function createValidations(deps: ValidationsDeps) {
  const {sql, now, newId, changes, limits} = deps;

  /** What a builder would be given, and what is wrong with it already. */
  async function examine({machine: name, nixosConfig}: ConfigToValidate) {
    const machine = name === '' ? undefined : await deps.getMachine(name);
    if (!machine && nixosConfig === undefined)
      throw new DomainError(
        'invalid_argument',
        'Cannot validate nothing: give nixos_config, or name a machine',
      );
    const {modules, problems} = await resolveTemplates(sql, machine?.templates ?? []);
    const text = nixosConfig ?? machine?.nixosConfig ?? '';
    const hasText = nixosConfig !== undefined || text !== '';
    if (machine && !hasText && modules.length + problems.length === 0)
      throw new DomainError(
        'failed_precondition',
        `Cannot validate machine "${nameOf(machine)}": it has neither nixos_config nor templates`,
      );
    const diagnostics = [
      ...problems.map(({name, problem}) => templateDiagnostic(name, problem)),
      ...(hasText ? checkNixText(text, '') : []),
    ];
    const spec: BuildSpec = {
      kind: 'machine',
      variant: 'full',
      backend: 'nix',
      machineId: machine?.id,
      imageConfig: undefined,
      nixosConfig: text,
      templates: [...bootProfileModule(machine?.bootArguments ?? []), ...modules],
      facts: machine && factsOf(machine),
    };
    return {spec, diagnostics};
  }

  /** Throws failed_precondition, unavailable or resource_exhausted. */
  async function queue(actor: string, spec: BuildSpec): Promise<Validation> {
    assertBackend('evaluate the configuration', 'nix', await deps.listLiveBuilders());
    if (!deps.busStatus().connected)
      throw new DomainError(
        'unavailable',
        'Cannot evaluate the configuration: NATS is away, so no builder hears of it; try again',
      );
    const id = newId();
    const createTime = now();
    const expireTime = new Date(createTime.getTime() + limits.timeLimitMs);
    return sql.begin(async tx => {
      const {own, all} = await store.countValidations(tx, {actor, now: createTime});
      if (own >= limits.perCallerMax || all >= limits.allMax)
        throw new DomainError(
          'resource_exhausted',
          `Cannot evaluate the configuration: ${own} of yours and ${all} of all are being evaluated; wait for one of them`,
        );
      await store.insertValidation(tx, {id, actor, createTime, expireTime, spec});
      await store.notifyValidation(tx, id);
      return found(await store.findValidation(tx, id), id);
    });
  }

  /** Undefined when the caller has left. Throws unavailable after the time limit. */
  async function wait(id: string, signal: AbortSignal): Promise<Validation | undefined> {
    using subscription = changes.subscribe(id);
    const late = AbortSignal.timeout(limits.timeLimitMs);
    for (;;) {
      const seen = subscription.version;
      const validation = found(await store.findValidation(sql, id), id);
      if (signal.aborted) return undefined;
      if (validation.finishTime) return validation;
      if (late.aborted) throw tooLate(validation, limits.timeLimitMs);
      await subscription.after(seen, AbortSignal.any([signal, late]));
    }
  }

  return {
    /** First what is seen at once; when that is clean and more is wanted, what a builder's evaluation says. */
    async *validate(
      actor: string,
      config: ConfigToValidate,
      signal: AbortSignal,
    ): AsyncGenerator<ValidationAnswer> {
      const started = now().getTime();
      const {spec, diagnostics} = await examine(config);
      yield {phase: 'syntax', diagnostics, durationMs: now().getTime() - started};
      if (config.syntaxOnly || diagnostics.length > 0 || signal.aborted) return;

      const {id} = await queue(actor, spec);
      try {
        const done = await wait(id, signal);
        if (!done) return;
        const {diagnostics, durationMs} = done;
        yield {phase: 'evaluation', diagnostics, durationMs};
      } finally {
        // Nobody waits any more; a row that cannot be removed now expires.
        await store.deleteValidation(sql, id).catch(() => undefined);
      }
    },

    /** Throws failed_precondition when the job is to be dropped, unavailable when another builder is at it: then it is to be taken later. */
    claim: (builder: Builder, id: string) =>
      sql.begin(async tx => {
        const validation = await store.findValidationForUpdate(tx, id);
        const spec = validation && (await store.findValidationSpec(tx, id));
        const leftMs = validation ? validation.expireTime.getTime() - now().getTime() : 0;
        if (!validation || !spec || validation.finishTime || leftMs <= 0)
          throw new DomainError(
            'failed_precondition',
            `Cannot claim validation "${id}": nobody waits for it any more; drop the job`,
          );
        if (isHeld(validation, builder))
          throw new DomainError(
            'unavailable',
            `Cannot claim validation "${id}": builder "${validation.builderIds.at(-1)}" is at it; try again later`,
          );
        await store.claimValidation(tx, id, {builderId: builder.id, time: now()});
        return {spec, timeLimitSeconds: Math.ceil(leftMs / 1000)};
      }),

    /** The first result counts. Throws failed_precondition when this builder never claimed it. */
    finish: (
      builder: Builder,
      id: string,
      result: {readonly diagnostics: readonly Diagnostic[]; readonly durationMs: number},
    ): Promise<void> =>
      sql.begin(async tx => {
        const validation = await store.findValidationForUpdate(tx, id);
        if (!validation || validation.finishTime) return;
        if (!validation.builderIds.includes(builder.id))
          throw new DomainError(
            'failed_precondition',
            `Cannot finish validation "${id}": it was not claimed by this builder`,
          );
        const durationMs = Math.min(result.durationMs, limits.timeLimitMs);
        const {diagnostics} = result;
        await store.finishValidation(tx, id, {time: now(), diagnostics, durationMs});
        await store.notifyValidation(tx, id);
      }),

    /** Those that need a job in the work queue: new ones, and those whose job was not taken in time. Forgets what has expired. */
    async review(): Promise<readonly {readonly validationId: string; readonly jobCount: number}[]> {
      const time = now();
      await store.deleteValidationsBefore(sql, time);
      const waiting = await store.listUnclaimedValidations(sql, jobsPerReviewMax);
      return waiting
        .filter(({jobTime}) => !jobTime || time.getTime() - jobTime.getTime() > limits.silentMs)
        .map(({id, jobCount}) => ({validationId: id, jobCount}));
    },

    /** It is in the work queue. */
    jobQueued: (id: string) => store.noteValidationJob(sql, id, now()),
  };

  function isHeld({claimTime, builderIds}: Validation, builder: Builder): boolean {
    if (!claimTime || builderIds.at(-1) === builder.id) return false;
    return now().getTime() - claimTime.getTime() < limits.silentMs;
  }
}

function templateDiagnostic(name: string, problem: string): Diagnostic {
  const message = `${problem.charAt(0).toUpperCase()}${problem.slice(1)}`;
  return {kind: 'template', message, source: `templates/${name}`, line: 0, column: 0};
}

function found(validation: Validation | undefined, id: string): Validation {
  if (validation) return validation;
  throw new DomainError(
    'unavailable',
    `Cannot go on with validation "${id}": it expired; try again`,
  );
}

function tooLate({claimTime}: Validation, timeLimitMs: number): DomainError {
  const why = claimTime
    ? 'the builder that took it gave no result'
    : 'no builder took it, they may be busy';
  return new DomainError(
    'unavailable',
    `Cannot evaluate the configuration within ${timeLimitMs / 1000} s: ${why}; try again`,
  );
}
