import {DomainError} from '../errors.ts';
import {
  type Build,
  type BuildSpec,
  findBuild,
  findBuildForUpdate,
  findLiveBuild,
  insertBuild,
  notifyBuild,
} from '../store/builds.ts';
import {findCurrentAgentKey} from '../store/agents.ts';
import {buildLogs} from '../store/build-logs.ts';
import type {Sql} from '../store/db.ts';
import type {LogChunk} from '../store/log-chunks.ts';
import {appendEvent} from '../store/events.ts';
import {findImageByInputKey, findImages, type ImageVariant} from '../store/images.ts';
import {findMachine, type Machine} from '../store/machines.ts';
import {type BuildQuery, countBuilds, listBuilds} from '../store/operation-lists.ts';
import {insertOperation, updateOperation} from '../store/operations.ts';
import type {KeyedWakeUps} from '../wake-ups.ts';
import {endBuild} from './build-end.ts';
import {assertBackend, type LiveBuilder, nameOf, specOf} from './build-rules.ts';
import {created, updated} from './changes.ts';
import type {Deps} from './deps.ts';
import {followWork, readLog, type Seen} from './followed-work.ts';
import {effectiveConfiguration, type Inherited} from './inheritance.ts';
import {pageOf, parseListRequest, type Unparsed} from './newest-first.ts';
import {isOver} from './operations.ts';
import {resolveTemplates, type TemplateProblem} from './template-use.ts';
import type {Transitions} from './transitions.ts';

export type BuildUpdate = {readonly build: Build} | {readonly log: LogChunk};

export type WantedBuild = {
  readonly actor: string;
  readonly machineId: string;
  /** Those that live now. */
  readonly builders: readonly LiveBuilder[];
};

export type Builds = ReturnType<typeof createBuilds>;

export type BuildsDeps = Deps & {
  readonly transitions: Transitions;
  readonly listLiveBuilders: () => Promise<readonly LiveBuilder[]>;
  /** What the machine has from its groups and from rules. */
  readonly inherited: (machineId: string, tx: Sql) => Promise<Inherited>;
  /** Told by build id through NOTIFY 'builds'. */
  readonly changes: KeyedWakeUps;
};

/** What people do with builds; what builders do is in build-work.ts. */
export function createBuilds({
  sql,
  now,
  newId,
  transitions,
  listLiveBuilders,
  inherited,
  changes,
}: BuildsDeps) {
  const end = endBuild({now, newId, transitions});

  /** Throws not_found. */
  async function get(id: string): Promise<Build> {
    return found(await findBuild(sql, id), id);
  }

  /** Undefined when a live one is in the way. */
  async function queue(tx: Sql, actor: string, spec: BuildSpec): Promise<string | undefined> {
    const id = newId();
    const time = now();
    const {machineId, kind, variant, backend} = spec;
    await insertOperation(tx, {
      id,
      kind: 'build',
      state: 'queued',
      machineId,
      actor,
      createTime: time,
    });
    if (!(await insertBuild(tx, id, spec))) return undefined;

    const data = {kind, variant, backend};
    await appendEvent(tx, {
      id: newId(),
      time,
      type: 'build.requested',
      actor,
      machineId,
      subject: `builds/${id}`,
      data,
      change: created({...spec, state: 'queued'}),
    });
    await notifyBuild(tx, id);
    return id;
  }

  async function createIn(tx: Sql, wanted: WantedBuild): Promise<string> {
    const {actor, machineId, builders} = wanted;
    const machine = await findMachine(tx, machineId);
    if (!machine) throw new DomainError('not_found', `Cannot find machine "${machineId}"`);
    const what = `machine "${nameOf(machine)}"`;
    const effective = effectiveConfiguration(machine, await inherited(machineId, tx));
    const {modules, problems} = await resolveTemplates(tx, effective.templates);
    if (problems.length > 0) throw unfit(what, problems);
    const {imageConfig, bootArguments} = effective;
    const configured = {...machine, imageConfig, bootArguments};
    const spec = specOf(configured, await variantFor(tx, machine), modules);
    assertBackend(`build ${what}`, spec.backend, builders);

    const live = await findLiveBuild(tx, {machineId});
    const queued = live ? undefined : await queue(tx, actor, spec);
    if (!queued) throw alreadyBuilding(what, live ?? (await findLiveBuild(tx, {machineId})));
    const reason = `Build "${queued}" was asked for`;
    await transitions.buildStarted(tx, {machineId, actor, reason});
    return queued;
  }

  async function cancelIn(tx: Sql, actor: string, id: string): Promise<void> {
    const build = found(await findBuildForUpdate(tx, id), id);
    const {state, cancelRequested} = build.operation;
    if (isOver(state) || cancelRequested) return;
    if (state === 'queued') return end(tx, build, {outcome: 'cancelled', actor, error: ''});
    await updateOperation(tx, id, {cancelRequested: true});
    await appendEvent(tx, {
      id: newId(),
      time: now(),
      type: 'build.cancel_requested',
      actor,
      machineId: build.machineId,
      subject: `builds/${id}`,
      change: updated({cancelRequested}, {cancelRequested: true}),
    });
    await notifyBuild(tx, id);
  }

  return {
    get,

    /**
     * Throws not_found, failed_precondition (no configuration, no builder for it, a machine that is none to build for) or already_exists
     * with the id of the build that runs.
     */
    async createForMachine(actor: string, machineId: string): Promise<Build> {
      const builders = await listLiveBuilders();
      return get(await sql.begin(tx => createIn(tx, {actor, machineId, builders})));
    },

    /** In the caller's transaction; gives its id. */
    createIn,

    /** Throws failed_precondition (no live builder offers debian) or already_exists. */
    async createForRegistration(actor: string, variant: ImageVariant): Promise<Build> {
      const what = `the ${variant} registration image`;
      assertBackend(`build ${what}`, 'debian', await listLiveBuilders());
      const spec: BuildSpec = {
        kind: 'registration',
        variant,
        backend: 'debian',
        machineId: undefined,
        imageConfig: undefined,
        nixosConfig: '',
        templates: [],
        facts: undefined,
      };
      const of = {registrationVariant: variant};
      const id = await sql.begin(async tx => {
        const queued = await queue(tx, actor, spec);
        if (!queued) throw alreadyBuilding(what, await findLiveBuild(tx, of));
        return queued;
      });
      return get(id);
    },

    /** One that waits ends at once; one that runs ends when its builder has heard of it. One that is over stays what it is. */
    async cancel(actor: string, id: string): Promise<Build> {
      await sql.begin(tx => cancelIn(tx, actor, id));
      return get(id);
    },

    /** In the caller's transaction. */
    cancelIn,

    /** Newest first. Throws invalid_argument. */
    async list({countTotal, ...request}: Unparsed<BuildQuery> & {readonly countTotal: boolean}) {
      const {query, page} = parseListRequest(request, now());
      const rows = await listBuilds(sql, {...query, ...page});
      const total = countTotal ? await countBuilds(sql, query) : 0;
      const {items, nextPageToken} = pageOf(rows, page);
      return {builds: items, nextPageToken, total};
    },

    /** Its state and its log as far as it is kept, then every change; ends with the build, or with the signal. Throws not_found. */
    watch: (id: string, signal: AbortSignal): AsyncGenerator<BuildUpdate> =>
      followWork({id, changes, read: () => seen(id)}, signal),
  };

  async function seen(id: string): Promise<Seen<BuildUpdate>> {
    const build = await get(id);
    const {revision, state} = build.operation;
    return {
      update: {build},
      revision,
      over: isOver(state),
      logAfter: after => readLog(page => buildLogs.list(sql, id, page), after),
    };
  }
}

function found(build: Build | undefined, id: string): Build {
  if (!build) throw new DomainError('not_found', `Cannot find build "${id}"`);
  return build;
}

function alreadyBuilding(what: string, live: Build | undefined): DomainError {
  return new DomainError(
    'already_exists',
    `Cannot build ${what}: build "${live?.id ?? ''}" is ${live?.operation.state ?? 'queued'}; wait for it or cancel it`,
  );
}

/** Versions come and go with updates of a template, and a release brings its own. */
function unfit(what: string, problems: readonly TemplateProblem[]): DomainError {
  const reasons = problems.map(({name, problem}) => `template "${name}": ${problem}`);
  return new DomainError('failed_precondition', `Cannot build ${what}: ${reasons.join('; ')}`);
}

/** The drivers that the machine is known to boot with; all of them while that is not known. */
async function variantFor(sql: Sql, machine: Machine): Promise<ImageVariant> {
  const [booted] = machine.bootedImageId ? await findImages(sql, [machine.bootedImageId]) : [];
  if (booted) return booted.variant;

  // Enrolled, and its hello is still on the way.
  const key = await findCurrentAgentKey(sql, machine.id);
  const enrolled = key && (await findImageByInputKey(sql, key.imageInputKey));
  return enrolled?.variant ?? 'full';
}
