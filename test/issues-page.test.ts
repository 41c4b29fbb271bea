import {readFileSync} from 'node:fs';
import type {IssueRule, Threshold} from '@muster/server/domain/issue-rule.ts';
import {issueRules} from '@muster/server/domain/issue-rules.ts';
import test from 'ava';

const page = readFileSync(new URL('../docs/issues.md', import.meta.url), 'utf8');

/** "90 s", "10 min", "24 h" */
function duration(seconds: number): string {
  for (const [unitSeconds, unit] of [
    [3600, 'h'],
    [60, 'min'],
  ] as const)
    if (seconds > 0 && seconds % unitSeconds === 0) return `${seconds / unitSeconds} ${unit}`;
  return seconds === 0 ? 'at once' : `${seconds} s`;
}

function limits({unit, raiseAt, clearAt, below = false}: Threshold): string {
  const until = clearAt === raiseAt ? '' : `, until ${below ? '>' : '<'} ${clearAt}`;
  return `${below ? '≤' : '≥'} ${raiseAt} ${unit}${until}`;
}

function row(rule: IssueRule): string {
  const {kind, title, severity, source, windowSeconds} = rule;
  const after = (seconds: number) => (source === 'hardware' ? 'the report' : duration(seconds));
  const within = windowSeconds > 0 ? ` within ${duration(windowSeconds)}` : '';
  const numbers = Object.values(rule.thresholds).map(limits).join('; ');
  const cells = [
    `\`${kind}\``,
    title,
    severity,
    after(rule.raiseAfterSeconds),
    after(rule.clearAfterSeconds),
    numbers + within,
  ];
  return `| ${cells.join(' | ')} |`.replace('|  |', '| |');
}

test('the table of rules in docs/issues.md is the one that the server has', t => {
  const rows = page.split('\n').filter(line => /^\| `[a-z_]+` \|/.test(line));
  t.deepEqual(rows, issueRules.map(row));
});
