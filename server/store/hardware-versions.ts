import type {Sql} from './db.ts';
import {seesEverything, sinceAssigned} from './scope.ts';

export type ChangeCounts = Readonly<
  Record<'added' | 'removed' | 'replaced' | 'moved' | 'changed', number>
>;

export type HardwareVersion = {
  readonly machineId: string;
  /** From 1 on, one by one. */
  readonly number: number;
  /** Of the canonical list of parts. */
  readonly sha256: Buffer;
  readonly partCount: number;
  /** Against the version before. */
  readonly counts: ChangeCounts;
  /** The first changes in words. */
  readonly summaries: readonly string[];
  readonly createTime: Date;
  readonly confirmTime: Date;
};

/** Bodies are JSON, compressed with zstd. */
export type HardwareVersionBody = {
  readonly body: Buffer;
  readonly parts: Buffer;
};

/** The newest one is confirmed in machine_hardware, which costs no second write. */
const columns = (sql: Sql) => sql`
  machine_id, number, sha256, part_count, counts, summaries, create_time,
  case when number = (
    select max(number) from hardware_versions as other where other.machine_id = version.machine_id
  )
    then (select hardware.confirm_time from machine_hardware as hardware
      where hardware.machine_id = version.machine_id)
    else confirm_time
  end as confirm_time
`;

/** On `version`: the one that held when the machine was assigned, and those after it. */
const inScope = (sql: Sql) =>
  seesEverything()
    ? sql`true`
    : sinceAssigned(
        sql,
        sql`version.machine_id`,
        sql`coalesce((
          select min(later.create_time) from hardware_versions as later
          where later.machine_id = version.machine_id and later.number > version.number
        ), 'infinity')`,
      );

export async function findLastVersion(
  sql: Sql,
  machineId: string,
): Promise<{readonly number: number; readonly sha256: Buffer; readonly parts: Buffer} | undefined> {
  const [row] = await sql<{number: number; sha256: Buffer; parts: Buffer}[]>`
    select number, sha256, parts from hardware_versions
    where machine_id = ${machineId} order by number desc limit 1
  `;
  return row;
}

/** The version before it keeps when it was confirmed last. */
export async function insertVersion(
  sql: Sql,
  version: HardwareVersion & HardwareVersionBody,
  lastConfirmTime: Date | undefined,
): Promise<void> {
  const {machineId, number, counts, summaries, ...row} = version;
  if (lastConfirmTime)
    await sql`
      update hardware_versions set confirm_time = ${lastConfirmTime}
      where machine_id = ${machineId} and number = ${number - 1}
    `;
  await sql`
    insert into hardware_versions ${sql({
      ...row,
      machineId,
      number,
      counts: sql.json(counts),
      summaries: sql.json(summaries),
    })}
  `;
}

/** Newest first; `before` is the last number of the page before. */
export async function listVersions(
  sql: Sql,
  page: {
    readonly machineId: string;
    readonly before: number | undefined;
    readonly limit: number;
  },
): Promise<readonly HardwareVersion[]> {
  return sql<HardwareVersion[]>`
    select ${columns(sql)} from hardware_versions as version
    where machine_id = ${page.machineId}
      and ${page.before === undefined ? sql`true` : sql`number < ${page.before}`}
      and ${inScope(sql)}
    order by number desc limit ${page.limit}
  `;
}

export async function findVersion(
  sql: Sql,
  machineId: string,
  number: number,
): Promise<(HardwareVersion & HardwareVersionBody) | undefined> {
  const [row] = await sql<(HardwareVersion & HardwareVersionBody)[]>`
    select ${columns(sql)}, body, parts from hardware_versions as version
    where machine_id = ${machineId} and number = ${number} and ${inScope(sql)}
  `;
  return row;
}

/** Of one machine: only the newest so many stay. */
export async function deleteSurplusVersions(
  sql: Sql,
  machineId: string,
  keptMax: number,
): Promise<void> {
  await sql`
    delete from hardware_versions where machine_id = ${machineId} and number <= (
      select max(number) from hardware_versions where machine_id = ${machineId}
    ) - ${keptMax}
  `;
}

/** The newest of each machine stays, however old. */
export async function deleteVersionsBefore(sql: Sql, time: Date): Promise<void> {
  await sql`
    delete from hardware_versions as version where create_time < ${time} and exists (
      select from hardware_versions as newer
      where newer.machine_id = version.machine_id and newer.number > version.number
    )
  `;
}
