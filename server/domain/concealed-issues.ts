import type {Sql} from '../store/db.ts';
import type {Issue} from '../store/issues.ts';
import {conceal} from './concealed.ts';

/** What they tell of may be another machine: the one that this is taken for. */
export async function concealIssues(sql: Sql, issues: readonly Issue[]): Promise<readonly Issue[]> {
  const told = await conceal(
    sql,
    issues.flatMap(({summary, evidence}) => [summary, JSON.stringify(evidence)]),
  );
  return issues.map((issue, at) => ({
    ...issue,
    summary: told[2 * at] ?? '',
    evidence: JSON.parse(told[2 * at + 1] ?? '{}') as Issue['evidence'],
  }));
}

export async function concealIssue(sql: Sql, issue: Issue): Promise<Issue> {
  const [shown = issue] = await concealIssues(sql, [issue]);
  return shown;
}
