import type {Firmware} from './boot-tests.ts';
import type {Sql} from './db.ts';
import type {Artifact} from './images.ts';
import {type NewestFirst, type Span, withinPage} from './newest-first.ts';
import {sinceAssigned} from './scope.ts';

export type ImageTestStatus = 'pending' | 'running' | 'passed' | 'failed' | 'cancelled' | 'error';
export type ImageTestType = 'boot' | 'hello' | 'network' | 'service' | 'script';
export type TestedImageType = 'custom' | 'registration';

/** What is checked beside the boot itself; the contract's ImageTestPlan. */
export type ImageTestPlan = {
  readonly units: readonly string[];
  readonly script: string;
  readonly scriptName: string;
  readonly resolveName: string;
  readonly checkTimeLimitSeconds: number;
  readonly timeLimitSeconds: number;
};

export type ImageTestCheck = {
  readonly name: string;
  readonly passed: boolean;
  readonly detail: string;
  readonly output: string;
  readonly exitStatus?: number;
  readonly durationMs: number;
};

export type ImageTestResult = {
  readonly firmware: Firmware;
  readonly passed: boolean;
  readonly durationMs: number;
  readonly stage: string;
  readonly failure: string;
  readonly consoleTail: string;
  readonly checks: readonly ImageTestCheck[];
};

/** What somebody asked for. */
export type ImageTestOrder = {
  /** Undefined for a disk image. */
  readonly imageId: string | undefined;
  readonly imagePath: string;
  readonly imageType: TestedImageType;
  readonly disk: Artifact | undefined;
  readonly testType: ImageTestType;
  readonly firmwares: readonly Firmware[];
  readonly plan: ImageTestPlan;
  readonly names: readonly string[];
  readonly machineId: string | undefined;
  readonly actor: string;
};

export type ImageTest = ImageTestOrder & {
  readonly id: string;
  readonly status: ImageTestStatus;
  readonly cancelRequested: boolean;
  readonly attempt: number;
  readonly builderId: string | undefined;
  /** Of the present attempt. */
  readonly claimTime: Date | undefined;
  readonly reportTime: Date | undefined;
  readonly jobTime: Date | undefined;
  readonly jobCount: number;
  readonly stage: string;
  readonly results: readonly ImageTestResult[];
  readonly failure: string;
  readonly screenshot: Artifact | undefined;
  readonly serialLog: Artifact | undefined;
  readonly revision: number;
  readonly createTime: Date;
  readonly startTime: Date | undefined;
  readonly endTime: Date | undefined;
};

export type ImageTestChange = Partial<
  Pick<
    ImageTest,
    | 'status'
    | 'cancelRequested'
    | 'attempt'
    | 'builderId'
    | 'claimTime'
    | 'reportTime'
    | 'stage'
    | 'results'
    | 'failure'
    | 'screenshot'
    | 'serialLog'
    | 'startTime'
    | 'endTime'
  >
>;

type Nullable<T> = {
  readonly [K in keyof T]: undefined extends T[K] ? NonNullable<T[K]> | null : T[K];
};
type Row = Nullable<Omit<ImageTest, 'revision'>> & {readonly revision: string};

const jsonColumns = ['results', 'screenshot', 'serialLog'] as const;

/** A test without a machine is for those who see everything. */
const inScope = (sql: Sql) =>
  sinceAssigned(sql, sql`image_tests.machine_id`, sql`image_tests.create_time`);

const columns = (sql: Sql) => sql`
  id, image_id, image_path, image_type, disk, test_type, firmwares, plan, names, machine_id, actor, status, cancel_requested, attempt,
  builder_id, claim_time, report_time, job_time, job_count, stage, results, failure, screenshot, serial_log, revision, create_time,
  start_time, end_time
`;

export async function insertImageTest(
  sql: Sql,
  order: ImageTestOrder & {readonly id: string; readonly createTime: Date},
): Promise<void> {
  const {id, imageId, imagePath, imageType, disk, testType, plan, machineId, actor} = order;
  await sql`
    insert into image_tests (
      id, image_id, image_path, image_type, disk, test_type, firmwares, plan, names, machine_id, actor, create_time
    ) values (
      ${id}, ${imageId ?? null}, ${imagePath}, ${imageType}, ${disk ? JSON.stringify(disk) : null}::text::jsonb, ${testType},
      ${[...order.firmwares]}::text[], ${JSON.stringify(plan)}::text::jsonb, ${[...order.names]}::text[], ${machineId ?? null}, ${actor},
      ${order.createTime}
    )
  `;
}

export async function findImageTest(sql: Sql, id: string): Promise<ImageTest | undefined> {
  const [row] = await sql<Row[]>`
    select ${columns(sql)} from image_tests where id = ${id} and ${inScope(sql)}
  `;
  return row && toImageTest(row);
}

/** Locked until the transaction ends. */
export async function findImageTestForUpdate(sql: Sql, id: string): Promise<ImageTest | undefined> {
  const [row] = await sql<Row[]>`
    select ${columns(sql)} from image_tests where id = ${id} and ${inScope(sql)} for update
  `;
  return row && toImageTest(row);
}

export type ImageTestQuery = Span & {
  readonly imageId: string | undefined;
  readonly machineId: string | undefined;
  /** None is all. */
  readonly statuses: readonly ImageTestStatus[];
  readonly testType: ImageTestType | undefined;
  readonly imageType: TestedImageType | undefined;
};

/** Newest first. */
export async function listImageTests(
  sql: Sql,
  query: ImageTestQuery & NewestFirst,
): Promise<readonly (ImageTest & {readonly cursorTime: string})[]> {
  const {imageId, machineId, statuses, testType, imageType, limit} = query;
  const matching = sql` ${imageId === undefined ? sql`true` : sql`image_id = ${imageId}`}
      and ${machineId === undefined ? sql`true` : sql`machine_id = ${machineId}`}
      and ${testType === undefined ? sql`true` : sql`test_type = ${testType}`}
      and ${imageType === undefined ? sql`true` : sql`image_type = ${imageType}`}
    and ${withinPage(sql, {time: sql`create_time`, id: sql`id`}, query)} and ${inScope(sql)}
  `;
  // Of each result so many, read in order: one read over several would have to sort all there are.
  const from =
    statuses.length === 0
      ? sql`image_tests where ${matching}`
      : sql`(
          select one.* from unnest(${[...statuses]}::text[]) as wanted (status) cross join lateral (
            select * from image_tests where image_tests.status = wanted.status and ${matching}
            order by create_time desc, id desc limit ${limit}
          ) as one
        ) as image_tests`;
  const rows = await sql<(Row & {readonly cursorTime: string})[]>`
    select ${columns(sql)}, create_time::text as cursor_time from ${from}
    order by create_time desc, id desc limit ${limit}
  `;
  return rows.map(({cursorTime, ...row}) => ({...toImageTest(row), cursorTime}));
}

/** Of an image, newest first, whoever asks: what a gate goes by. */
export async function listTestsOfImage(
  sql: Sql,
  imageId: string,
  limit: number,
): Promise<readonly ImageTest[]> {
  const rows = await sql<Row[]>`
    select ${columns(sql)} from image_tests where image_id = ${imageId} order by id desc limit ${limit}
  `;
  return rows.map(toImageTest);
}

/** The script that the newest test of this name ran. */
export async function findScript(sql: Sql, scriptName: string): Promise<ImageTestPlan | undefined> {
  const [row] = await sql<{plan: ImageTestPlan}[]>`
    select plan from image_tests
    where test_type = 'script' and names @> ${[`script:${scriptName}`]}::text[] order by id desc limit 1
  `;
  return row?.plan;
}

/** Pending or running, oldest first. */
export async function listLiveImageTests(sql: Sql, limit: number): Promise<readonly ImageTest[]> {
  const rows = await sql<Row[]>`
    select ${columns(sql)} from image_tests where status in ('pending', 'running') order by id limit ${limit}
  `;
  return rows.map(toImageTest);
}

/** Any constant that nobody else locks. */
const countLock = 0x6d_75_69_74;

/** How many are pending or running, of this image or file and of all; nobody adds one until the transaction ends. */
export async function countLiveImageTests(
  sql: Sql,
  imagePath: string,
): Promise<{readonly own: number; readonly all: number}> {
  await sql`select pg_advisory_xact_lock(${countLock})`;
  const [row] = await sql<{own: number; all: number}[]>`
    select count(*) filter (where image_path = ${imagePath})::int as own, count(*)::int as all
    from image_tests where status in ('pending', 'running')
  `;
  return row ?? {own: 0, all: 0};
}

/** The newest ones of an image or file stay. */
export async function deleteOldImageTests(
  sql: Sql,
  {imagePath, keep}: {readonly imagePath: string; readonly keep: number},
): Promise<void> {
  await sql`
    delete from image_tests where id in (
      select id from image_tests where image_path = ${imagePath} and status not in ('pending', 'running')
      order by id desc offset ${keep}
    )
  `;
}

/** Raises the revision too. `change` is not empty. */
export async function updateImageTest(
  sql: Sql,
  id: string,
  change: ImageTestChange,
): Promise<void> {
  const json = Object.fromEntries(
    jsonColumns.flatMap(name =>
      change[name] === undefined ? [] : [[name, sql.json(structuredClone(change[name]) as never)]],
    ),
  );
  const set = {...change, ...json} as Record<string, never>;
  await sql`update image_tests set ${sql(set)}, revision = revision + 1 where id = ${id}`;
}

/** A job is in the work queue. */
export async function noteImageTestJob(sql: Sql, id: string, time: Date): Promise<void> {
  await sql`update image_tests set job_time = ${time}, job_count = job_count + 1 where id = ${id}`;
}

/** Its job is to be put into the work queue again. */
export async function forgetImageTestJob(sql: Sql, id: string): Promise<void> {
  await sql`update image_tests set job_time = null where id = ${id} and status in ('pending', 'running')`;
}

/** Wakes those who watch the test, when the transaction commits. */
export async function notifyImageTest(sql: Sql, id: string): Promise<void> {
  await sql`select pg_notify('image_tests', ${id})`;
}

/** It came, ended, or needs another job: wakes also those who queue tests and look at gates. */
export async function notifyTestQueue(sql: Sql, id: string): Promise<void> {
  await notifyImageTest(sql, id);
  await sql`select pg_notify('image_test_queue', ${id})`;
}

function toImageTest(row: Row): ImageTest {
  return {
    ...row,
    imageId: row.imageId ?? undefined,
    disk: row.disk ?? undefined,
    machineId: row.machineId ?? undefined,
    builderId: row.builderId ?? undefined,
    claimTime: row.claimTime ?? undefined,
    reportTime: row.reportTime ?? undefined,
    jobTime: row.jobTime ?? undefined,
    screenshot: row.screenshot ?? undefined,
    serialLog: row.serialLog ?? undefined,
    startTime: row.startTime ?? undefined,
    endTime: row.endTime ?? undefined,
    revision: Number(row.revision),
  };
}
