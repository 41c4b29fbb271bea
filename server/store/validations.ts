import type {BuildSpec} from './builds.ts';
import type {Sql} from './db.ts';
import type {Diagnostic} from './diagnostics.ts';

export type Validation = {
  readonly id: string;
  readonly actor: string;
  readonly createTime: Date;
  readonly expireTime: Date;
  readonly jobTime: Date | undefined;
  readonly jobCount: number;
  readonly claimTime: Date | undefined;
  /** The last one is the present one. */
  readonly builderIds: readonly string[];
  readonly finishTime: Date | undefined;
  readonly diagnostics: readonly Diagnostic[];
  readonly durationMs: number;
};

type Row = Omit<Validation, 'jobTime' | 'claimTime' | 'finishTime'> & {
  readonly jobTime: Date | null;
  readonly claimTime: Date | null;
  readonly finishTime: Date | null;
};

/** Any constant that nobody else locks. */
const countLock = 0x6d_75_76_61;

const columns = (sql: Sql) => sql`
  id, actor, create_time, expire_time, job_time, job_count, claim_time, builder_ids, finish_time, diagnostics, duration_ms
`;

/** How many are alive, of this actor and of all; nobody adds one until the transaction ends. */
export async function countValidations(
  sql: Sql,
  {actor, now}: {readonly actor: string; readonly now: Date},
): Promise<{readonly own: number; readonly all: number}> {
  await sql`select pg_advisory_xact_lock(${countLock})`;
  const [row] = await sql<{own: number; all: number}[]>`
    select count(*) filter (where actor = ${actor})::int as own, count(*)::int as all
    from validations where expire_time > ${now}
  `;
  return row ?? {own: 0, all: 0};
}

export async function insertValidation(
  sql: Sql,
  validation: Pick<Validation, 'id' | 'actor' | 'createTime' | 'expireTime'> & {
    readonly spec: BuildSpec;
  },
): Promise<void> {
  const {id, actor, createTime, expireTime, spec} = validation;
  await sql`
    insert into validations (id, actor, create_time, expire_time, spec)
    values (${id}, ${actor}, ${createTime}, ${expireTime}, ${JSON.stringify(spec)}::text::jsonb)
  `;
}

export async function findValidation(sql: Sql, id: string): Promise<Validation | undefined> {
  const [row] = await sql<Row[]>`select ${columns(sql)} from validations where id = ${id}`;
  return row && toValidation(row);
}

/** Locked until the transaction ends. */
export async function findValidationForUpdate(
  sql: Sql,
  id: string,
): Promise<Validation | undefined> {
  const [row] = await sql<Row[]>`
    select ${columns(sql)} from validations where id = ${id} for update
  `;
  return row && toValidation(row);
}

export async function findValidationSpec(sql: Sql, id: string): Promise<BuildSpec | undefined> {
  const [row] = await sql<{spec: BuildSpec}[]>`select spec from validations where id = ${id}`;
  return row?.spec;
}

/** Those that nobody has claimed, oldest first. */
export async function listUnclaimedValidations(
  sql: Sql,
  limit: number,
): Promise<readonly Validation[]> {
  const rows = await sql<Row[]>`
    select ${columns(sql)} from validations
    where claim_time is null and finish_time is null order by id limit ${limit}
  `;
  return rows.map(toValidation);
}

export async function claimValidation(
  sql: Sql,
  id: string,
  claim: {readonly builderId: string; readonly time: Date},
): Promise<void> {
  await sql`
    update validations set claim_time = ${claim.time},
      builder_ids = array_append(array_remove(builder_ids, ${claim.builderId}), ${claim.builderId})
    where id = ${id}
  `;
}

export async function finishValidation(
  sql: Sql,
  id: string,
  end: {
    readonly time: Date;
    readonly diagnostics: readonly Diagnostic[];
    readonly durationMs: number;
  },
): Promise<void> {
  await sql`
    update validations set finish_time = ${end.time}, duration_ms = ${end.durationMs},
      diagnostics = ${JSON.stringify(end.diagnostics)}::text::jsonb
    where id = ${id}
  `;
}

/** A job is in the work queue. */
export async function noteValidationJob(sql: Sql, id: string, time: Date): Promise<void> {
  await sql`update validations set job_time = ${time}, job_count = job_count + 1 where id = ${id}`;
}

export async function deleteValidation(sql: Sql, id: string): Promise<void> {
  await sql`delete from validations where id = ${id}`;
}

export async function deleteValidationsBefore(sql: Sql, time: Date): Promise<void> {
  await sql`delete from validations where expire_time < ${time}`;
}

/** Wakes those who wait for it, and who queue it, when the transaction commits. */
export async function notifyValidation(sql: Sql, id: string): Promise<void> {
  await sql`select pg_notify('validations', ${id})`;
}

function toValidation({jobTime, claimTime, finishTime, ...row}: Row): Validation {
  return {
    ...row,
    jobTime: jobTime ?? undefined,
    claimTime: claimTime ?? undefined,
    finishTime: finishTime ?? undefined,
  };
}
