import type {Sql} from './db.ts';

/** Names a report everywhere. */
export type ReportKey = {readonly machineId: string; readonly reportId: string};

/** An inventory report as it was received. */
export type ReceivedReport = ReportKey & {
  readonly receiveTime: Date;
  /** Its place in the stream. */
  readonly sequence: number;
  /** Undefined when its text is none that agents write. */
  readonly wireSha256: Buffer | undefined;
};

/** One that waits to be taken in. */
export type WaitingReport = ReportKey & {
  /** Whose subject it came on; the machine may be part of another record since. */
  readonly senderId: string;
  readonly receiveTime: Date;
  /** When a report said last the same. */
  readonly confirmTime: Date;
  readonly wireSha256: Buffer | undefined;
  /** The report, compressed with zstd. */
  readonly body: Buffer;
  readonly failures: number;
};

/** What is known about a report before it is read. */
export type Confirmation = ReportKey & {
  readonly outcome: 'confirmed' | 'repeated' | 'unknown';
  /** Reports of its machine that wait. */
  readonly waitingCount: number;
};

/**
 * All that unchanged reports cost: one statement. A report is compared with what its machine said last: the newest of those that wait, else what was
 * taken in. `repeated` when this very report was received before, whatever came after it; `unknown` when it was not, its text is another, and nothing
 * was written. At most one report of each machine.
 */
export async function confirmUnchanged(
  sql: Sql,
  reports: readonly ReceivedReport[],
  factsVersion: number,
): Promise<readonly Confirmation[]> {
  const sorted = inOrder(reports);
  const rows = await sql<
    (ReportKey & {isKnown: boolean; isRepeated: boolean; waitingCount: number})[]
  >`
    with last as (
      ${lastWords(sql, sorted)}
    ), held as (
      ${heldReports(sql)}
    ), known as (
      ${knownReports(sql, factsVersion)}
    ), fresh as (
      insert into agent_reports (machine_id, report_id, time)
      select machine_id, report_id, time from known on conflict do nothing returning machine_id
    ), prolonged as (
      update hardware_intake as waiting set confirm_time = greatest(confirm_time, known.time)
      from known join fresh using (machine_id)
      where waiting.machine_id = known.machine_id and waiting.report_id = known.waiting_id
    ), confirmed as (
      update machine_hardware as hardware set confirm_time = greatest(confirm_time, known.time)
      from known join fresh using (machine_id)
      where hardware.machine_id = known.machine_id and known.waiting_id is null
    )
    select given.machine_id, given.report_id, coalesce(waiting_count, 0) as waiting_count,
      known.machine_id is not null as is_known,
      (known.machine_id is not null and fresh.machine_id is null) or exists (
        select from agent_reports as received
        where received.machine_id = given.machine_id and received.report_id = given.report_id
      ) as is_repeated
    from last as given left join known using (machine_id) left join fresh using (machine_id)
  `;
  return rows.map(({isKnown, isRepeated, ...row}) => ({
    ...row,
    outcome: isRepeated ? 'repeated' : isKnown ? 'confirmed' : 'unknown',
  }));
}

/** The reports, each with the newest of its machine that waits. */
const lastWords = (sql: Sql, reports: readonly ReceivedReport[]) => sql`
  select given.*, waiting.report_id as waiting_id, waiting.wire_sha256 as waiting_sha256, waiting_count
  from (
    select machine_id::uuid, report_id::uuid, time::timestamptz, decode(wire_sha256, 'hex') as wire_sha256
    from unnest(
      ${reports.map(({machineId}) => machineId)}::text[], ${reports.map(({reportId}) => reportId)}::text[],
      ${reports.map(({receiveTime}) => receiveTime.toISOString())}::text[], ${reports.map(digestText)}::text[]
    ) as given (machine_id, report_id, time, wire_sha256)
  ) as given
  left join lateral (
    select report_id, wire_sha256, count(*) over ()::int as waiting_count from hardware_intake
    where machine_id = given.machine_id order by receive_time desc, sequence desc, report_id desc limit 1
  ) as waiting on true
`;

/** Those of them that say the same. One that is being taken in is held by that: then the report waits behind it. */
const heldReports = (sql: Sql) => sql`
  select waiting.* from last cross join lateral (
    select machine_id, report_id from hardware_intake
    where machine_id = last.machine_id and report_id = last.waiting_id and waiting_sha256 = last.wire_sha256
    limit 1 for update skip locked
  ) as waiting
`;

/** Reports that say what their machine said last. */
const knownReports = (sql: Sql, factsVersion: number) => sql`
  select last.machine_id, last.report_id, time, waiting_id from last join held on held.machine_id = last.machine_id
  union all
  select last.machine_id, last.report_id, time, null from last cross join lateral (
    select from machine_hardware as hardware join machine_search as search using (machine_id)
    where machine_id = last.machine_id and hardware.wire_sha256 = last.wire_sha256
      and facts_version = ${factsVersion} limit 1
  ) as taken where waiting_id is null
`;

/**
 * Keeps reports until they are taken in, each once; gives those that are new and of a machine that there is. Of `crowded` machines the newest that waits
 * makes room. At most one report of each machine.
 */
export async function keepReports(
  sql: Sql,
  reports: readonly (ReceivedReport & {readonly body: Buffer})[],
  crowded: readonly string[],
): Promise<readonly ReportKey[]> {
  const sorted = inOrder(reports);
  const ends: number[] = [];
  for (const {body} of sorted) ends.push((ends.at(-1) ?? 0) + body.length);
  // In one value: PostgreSQL reads a list of texts letter by letter.
  const bodies = Buffer.concat(sorted.map(({body}) => body));
  const noRoom = sql`
    , superseded as (
      delete from hardware_intake as waiting using (
        select newest.* from fresh cross join lateral (
          select machine_id, report_id from hardware_intake where machine_id = fresh.machine_id
          order by receive_time desc, sequence desc, report_id desc limit 1
        ) as newest where newest.machine_id = any(${[...crowded]}::text[]::uuid[])
      ) as newest
      where waiting.machine_id = newest.machine_id and waiting.report_id = newest.report_id
    )
  `;
  return sql<ReportKey[]>`
    with given as (
      select machine_id::uuid, report_id::uuid, time::timestamptz, sequence::bigint,
        decode(wire_sha256, 'hex') as wire_sha256, ends::int, bytes::int
      from unnest(
        ${sorted.map(({machineId}) => machineId)}::text[], ${sorted.map(({reportId}) => reportId)}::text[],
        ${sorted.map(({receiveTime}) => receiveTime.toISOString())}::text[],
        ${sorted.map(({sequence}) => sequence)}::text[], ${sorted.map(digestText)}::text[],
        ${ends}::text[], ${sorted.map(({body}) => body.length)}::text[]
      ) as given (machine_id, report_id, time, sequence, wire_sha256, ends, bytes)
    ), fresh as (
      insert into agent_reports (machine_id, report_id, time)
      select machine_id, report_id, time from given
      where exists (select from machines where id = given.machine_id)
      on conflict do nothing returning machine_id, report_id
    ), kept as (
      insert into hardware_intake
        (machine_id, report_id, sender_id, receive_time, sequence, confirm_time, wire_sha256, body)
      select machine_id, report_id, machine_id, time, sequence, time, wire_sha256,
        substring(${bodies}::bytea from ends - bytes + 1 for bytes)
      from given join fresh using (machine_id, report_id)
    )
    ${crowded.length > 0 ? noRoom : sql``}
    select machine_id, report_id from fresh
  `;
}

/** By machine: two servers never wait for each other. */
const inOrder = <T extends ReportKey>(reports: readonly T[]): readonly T[] =>
  [...reports].sort((a, b) => (a.machineId < b.machineId ? -1 : 1));

const digestText = ({wireSha256}: ReceivedReport): string | null =>
  wireSha256?.toString('hex') ?? null;

/**
 * Takes the oldest report of some machine away, and holds that machine until the transaction ends. Another server, or whoever holds a machine now, is
 * not waited for: undefined when there is nothing that can be taken at this moment.
 */
export async function takeNextReport(sql: Sql): Promise<WaitingReport | undefined> {
  const [row] = await sql<(WaitingReport & {wireSha256: Buffer | null})[]>`
    with next as (
      select due.machine_id, due.report_id from ${dueReports(sql)}
      cross join lateral (
        select from machines where id = due.machine_id limit 1 for no key update skip locked
      ) as held
      limit 1
    )
    delete from hardware_intake as taken using next
    where taken.machine_id = next.machine_id and taken.report_id = next.report_id
    returning taken.machine_id, taken.report_id, sender_id, receive_time, confirm_time, wire_sha256, body, failures
  `;
  return row && {...row, wireSha256: row.wireSha256 ?? undefined};
}

/** After a failure: nothing of its machine is taken in before. */
export async function postponeReport(
  sql: Sql,
  {machineId, reportId}: ReportKey,
  waitMs: number,
): Promise<void> {
  await sql`
    update hardware_intake set failures = failures + 1, try_time = now() + ${waitMs} * interval '1 millisecond'
    where machine_id = ${machineId} and report_id = ${reportId}
  `;
}

export async function dropReport(sql: Sql, {machineId, reportId}: ReportKey): Promise<void> {
  await sql`
    delete from hardware_intake where machine_id = ${machineId} and report_id = ${reportId}
  `;
}

/** The oldest of each machine, by the time since which they wait. In this form, because a join would read the whole table. */
const dueReports = (sql: Sql) => sql`
  (
    select waiting.machine_id, waiting.report_id
    from (
      select machine_id, report_id from hardware_intake where try_time <= now() order by try_time offset 0
    ) as waiting
    cross join lateral (
      select report_id from hardware_intake where machine_id = waiting.machine_id
      order by receive_time, sequence, report_id limit 1
    ) as oldest
    where oldest.report_id = waiting.report_id offset 0
  ) as due
`;

/** Whether one waits for nothing but its turn. */
export async function hasDueReport(sql: Sql): Promise<boolean> {
  const [row] = await sql<{isDue: boolean}[]>`
    select exists (select from ${dueReports(sql)}) as is_due
  `;
  return row?.isDue === true;
}

export type IntakeTally = {
  readonly waitingCount: number;
  /** How long the oldest has been waiting; 0 when none is. */
  readonly oldestSeconds: number;
};

export async function tallyWaiting(sql: Sql): Promise<IntakeTally> {
  const [row] = await sql<IntakeTally[]>`
    select count(*)::int as waiting_count,
      greatest(0, coalesce(extract(epoch from now() - min(keep_time)), 0))::float8 as oldest_seconds
    from hardware_intake
  `;
  return row ?? {waitingCount: 0, oldestSeconds: 0};
}
