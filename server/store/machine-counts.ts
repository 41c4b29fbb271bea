import {constant, type Fragment, part} from './fragments.ts';
import {run, type SearchDatabase, SearchTimeout} from './machine-search.ts';

/** Counted without being asked to; beyond it the planner's estimate is told. */
const countedUnaskedMax = 1000;
const exactlyMsMax = 1000;

export type Total = {readonly count: number; readonly estimated: boolean};

/** Exact up to a thousand, or, with `isExact`, as far as a second goes; else the planner's estimate. */
export async function countMachines(
  database: SearchDatabase,
  where: Fragment,
  isExact = false,
): Promise<Total> {
  const matching = part`
    select machines.id from machines left join machine_presence on machine_id = machines.id where ${where}
  `;
  const exact = isExact ? await countInTime(database, matching) : undefined;
  if (exact !== undefined) return {count: exact, estimated: false};
  const count = await countUpTo(database, matching, countedUnaskedMax);
  if (count <= countedUnaskedMax) return {count, estimated: false};
  const [plan] = await run<{
    readonly 'QUERY PLAN': readonly {readonly Plan: {readonly 'Plan Rows': number}}[];
  }>(database, part`explain (format json) ${matching}`);
  const rows = plan?.['QUERY PLAN'][0]?.Plan['Plan Rows'] ?? count;
  return {count: Math.max(count, Math.round(rows)), estimated: true};
}

async function countInTime(
  database: SearchDatabase,
  matching: Fragment,
): Promise<number | undefined> {
  const timeoutMs = Math.min(database.timeoutMs, exactlyMsMax);
  try {
    const [row] = await run<{count: number}>(
      {...database, timeoutMs},
      part`select count(*)::int as count from (${matching}) as found`,
    );
    return row?.count ?? 0;
  } catch (error) {
    if (error instanceof SearchTimeout) return undefined;
    throw error;
  }
}

/** One more than that when there are more. */
async function countUpTo(
  database: SearchDatabase,
  matching: Fragment,
  max: number,
): Promise<number> {
  const [row] = await run<{count: number}>(
    database,
    part`select count(*)::int as count from (${matching} limit ${constant(String(max + 1))}) as found`,
  );
  return row?.count ?? 0;
}
