import type {BootTest} from './boot-tests.ts';
import type {Sql} from './db.ts';
import type {ImageKind, ImageVariant} from './images.ts';
import type {ImageConfig} from './machines.ts';
import type {Diagnostic} from './diagnostics.ts';
import {inScope, type Operation, type OperationRow, toOperation} from './operations.ts';
import {seesEverything} from './scope.ts';
import type {TemplateModule} from './templates.ts';

/** What a NixOS module is told of its machine: only what rarely changes, because each change makes another image. */
export type MachineFacts = {
  readonly machineId: string;
  readonly hostName: string;
  readonly serviceTag: string;
  readonly uuid: string;
  readonly manufacturer: string;
  readonly product: string;
  readonly macAddresses: readonly string[];
  readonly cpuThreads: number;
  readonly memoryBytes: number;
  readonly firmwareMode: string;
  readonly sshAuthorizedKeys: readonly string[];
};

/** Everything that may change the result. */
export type BuildSpec = BuildOrder & {
  /** In order; the machine's own module comes after them. */
  readonly templates: readonly TemplateModule[];
  /** For the nix back end. */
  readonly facts: MachineFacts | undefined;
};

/** A specification without what is large and of no interest but to a builder. */
export type BuildOrder = {
  readonly kind: ImageKind;
  readonly variant: ImageVariant;
  readonly backend: string;
  readonly machineId: string | undefined;
  readonly imageConfig: ImageConfig | undefined;
  readonly nixosConfig: string;
};

/** Its id is its operation's id. */
export type Build = BuildOrder & {
  readonly id: string;
  readonly operation: Operation;
  readonly attempt: number;
  readonly builderId: string | undefined;
  /** Of the present attempt. */
  readonly claimTime: Date | undefined;
  readonly reportTime: Date | undefined;
  readonly jobTime: Date | undefined;
  readonly jobCount: number;
  readonly imageId: string | undefined;
  readonly cached: boolean;
  readonly bootTests: readonly BootTest[];
  readonly diagnostics: readonly Diagnostic[];
};

export type BuildChange = Partial<
  Pick<Build, 'attempt' | 'builderId' | 'claimTime' | 'reportTime' | 'imageId' | 'cached'>
> & {
  readonly live?: boolean;
  readonly bootTests?: readonly BootTest[];
  readonly diagnostics?: readonly Diagnostic[];
};

export type BuildRow = Omit<OperationRow, 'kind'> & {
  readonly kind: string;
  readonly imageKind: ImageKind;
  readonly variant: ImageVariant;
  readonly backend: string;
  readonly imageConfig: ImageConfig | null;
  readonly nixosConfig: string;
  readonly attempt: number;
  readonly builderId: string | null;
  readonly claimTime: Date | null;
  readonly reportTime: Date | null;
  readonly jobTime: Date | null;
  readonly jobCount: number;
  readonly imageId: string | null;
  readonly cached: boolean;
  readonly bootTests: readonly BootTest[];
  readonly diagnostics: readonly Diagnostic[];
};

export const buildColumns = (sql: Sql) => sql`
  operations.*, image_kind, variant, backend, image_config, nixos_config, attempt, builder_id, claim_time, report_time,
  job_time, job_count, image_id, cached, boot_tests, diagnostics
`;

/** The operation with this id exists. False when the machine, or this variant of the registration image, has a live build already. */
export async function insertBuild(sql: Sql, id: string, spec: BuildSpec): Promise<boolean> {
  const config = spec.imageConfig ? JSON.stringify(spec.imageConfig) : null;
  const result = await sql`
    insert into builds (id, image_kind, variant, backend, machine_id, image_config, nixos_config, templates, template_names, facts)
    values (
      ${id}, ${spec.kind}, ${spec.variant}, ${spec.backend}, ${spec.machineId ?? null}, ${config}::text::jsonb,
      ${spec.nixosConfig}, ${JSON.stringify(spec.templates)}::text::jsonb, ${spec.templates.map(({name}) => name)}::text[],
      ${spec.facts ? JSON.stringify(spec.facts) : null}::text::jsonb
    )
    on conflict do nothing
  `;
  return result.count === 1;
}

/** Which image had a boot test first is for those to know who see it. */
const shownTests = (tests: readonly BootTest[]): readonly BootTest[] =>
  seesEverything() ? tests : tests.map(test => ({...test, reusedFromImageId: undefined}));

export async function findBuild(sql: Sql, id: string): Promise<Build | undefined> {
  const [row] = await sql<BuildRow[]>`
    select ${buildColumns(sql)} from builds join operations using (id)
    where id = ${id} and ${inScope(sql)}
  `;
  return row && toBuild(row);
}

/** The part of a build's specification that only its builder reads. Both are empty when there is no such build. */
export async function findBuildInputs(
  sql: Sql,
  id: string,
): Promise<Pick<BuildSpec, 'templates' | 'facts'>> {
  const [row] = await sql<
    {readonly templates: readonly TemplateModule[]; readonly facts: MachineFacts | null}[]
  >`
    select templates, facts from builds where id = ${id}
  `;
  return {templates: row?.templates ?? [], facts: row?.facts ?? undefined};
}

/** Locks build and operation until the transaction ends. */
export async function findBuildForUpdate(sql: Sql, id: string): Promise<Build | undefined> {
  const [row] = await sql<BuildRow[]>`
    select ${buildColumns(sql)} from builds join operations using (id)
    where id = ${id} and ${inScope(sql)} for update
  `;
  return row && toBuild(row);
}

export async function findLiveBuild(
  sql: Sql,
  of: {readonly machineId: string} | {readonly registrationVariant: ImageVariant},
): Promise<Build | undefined> {
  const [row] = await sql<BuildRow[]>`
    select ${buildColumns(sql)} from builds join operations using (id)
    where live and ${
      'machineId' in of
        ? sql`builds.machine_id = ${of.machineId}`
        : sql`image_kind = 'registration' and variant = ${of.registrationVariant}`
    }
  `;
  return row && toBuild(row);
}

export async function findLastRegistrationBuild(
  sql: Sql,
  variant: ImageVariant,
): Promise<Build | undefined> {
  const [row] = await sql<BuildRow[]>`
    select ${buildColumns(sql)} from builds join operations using (id)
    where image_kind = 'registration' and variant = ${variant} order by id desc limit 1
  `;
  return row && toBuild(row);
}

/** Queued or running, oldest first. */
export async function listLiveBuilds(sql: Sql, limit: number): Promise<readonly Build[]> {
  const rows = await sql<BuildRow[]>`
    select ${buildColumns(sql)} from builds join operations using (id)
    where live order by id limit ${limit}
  `;
  return rows.map(toBuild);
}

export async function updateBuild(
  sql: Sql,
  id: string,
  {bootTests, diagnostics, ...change}: BuildChange,
): Promise<void> {
  if (bootTests)
    await sql`
      update builds set boot_tests = ${JSON.stringify(bootTests)}::text::jsonb where id = ${id}
    `;
  if (diagnostics)
    await sql`
      update builds set diagnostics = ${JSON.stringify(diagnostics)}::text::jsonb where id = ${id}
    `;
  if (Object.keys(change).length > 0)
    await sql`update builds set ${sql(change as Record<string, never>)} where id = ${id}`;
}

/** A job is in the work queue. */
export async function noteJob(sql: Sql, id: string, time: Date): Promise<void> {
  await sql`update builds set job_time = ${time}, job_count = job_count + 1 where id = ${id}`;
}

/** Its job is to be put into the work queue again. */
export async function forgetJob(sql: Sql, id: string): Promise<void> {
  await sql`update builds set job_time = null where id = ${id} and live`;
}

/** Wakes those who watch builds, and who queue them, when the transaction commits. */
export async function notifyBuild(sql: Sql, id: string): Promise<void> {
  await sql`select pg_notify('builds', ${id})`;
}

export function toBuild(row: BuildRow): Build {
  const {id, imageKind, machineId} = row;
  return {
    id,
    kind: imageKind,
    variant: row.variant,
    backend: row.backend,
    machineId: machineId ?? undefined,
    imageConfig: row.imageConfig ?? undefined,
    nixosConfig: row.nixosConfig,
    operation: operationOf(row),
    attempt: row.attempt,
    builderId: row.builderId ?? undefined,
    claimTime: row.claimTime ?? undefined,
    reportTime: row.reportTime ?? undefined,
    jobTime: row.jobTime ?? undefined,
    jobCount: row.jobCount,
    imageId: row.imageId ?? undefined,
    cached: row.cached,
    bootTests: shownTests(row.bootTests),
    diagnostics: row.diagnostics,
  };
}

function operationOf(row: BuildRow): Operation {
  const {id, kind, state, steps, progressPercent, error, machineId, actor} = row;
  const {cancelRequested, revision, createTime, startTime, endTime} = row;
  return toOperation({
    id,
    kind,
    state,
    steps,
    progressPercent,
    error,
    machineId,
    actor,
    cancelRequested,
    revision,
    createTime,
    startTime,
    endTime,
  });
}
