import {
  type Issue,
  Issue_Severity as Severity,
  IssueMute_Scope as MuteScope,
  ListIssuesRequest_State as State,
} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import type {Look} from '../../ui/tones.ts';

export const severities: readonly (readonly [name: string, value: Severity, label: string])[] = [
  ['critical', Severity.CRITICAL, 'Critical'],
  ['warning', Severity.WARNING, 'Warning'],
  ['info', Severity.INFO, 'Info'],
];
export const severityOf = (text: string): Severity =>
  severities.find(([, value]) => String(value) === text)?.[1] ?? Severity.UNSPECIFIED;

const states: Readonly<Record<string, State>> = {
  open: State.OPEN,
  acknowledged: State.ACKNOWLEDGED,
  cleared: State.CLEARED,
};
export const stateOf = (text: string | undefined): State => states[text ?? ''] ?? State.UNSPECIFIED;

export function issueLook(issue: Issue): Look {
  if (issue.clearTime) return {word: 'Over', tone: 'idle', icon: 'check'};
  if (issue.mute) return {word: 'Muted', tone: 'idle', icon: 'pause'};
  if (issue.acknowledgeTime) return {word: 'Acknowledged', tone: 'info', icon: 'user'};
  return {word: 'Open', tone: 'warn', icon: 'ring'};
}

const muteScopes: Readonly<Record<number, string>> = {
  [MuteScope.ISSUE]: 'this issue',
  [MuteScope.MACHINE]: 'issues of this kind on this machine',
  [MuteScope.RULE]: 'the whole rule, on every machine',
};
export const muteScopeWord = (scope: number): string => muteScopes[scope] ?? '';

/** "disk_failing" → "Disk failing", where the server gives no title. */
export const kindWord = (kind: string): string =>
  kind.charAt(0).toUpperCase() + kind.slice(1).replaceAll('_', ' ');

const sources: Readonly<Record<string, string>> = {
  hardware: 'the machine’s report of its parts',
  rules: 'the server’s rules',
};
export const sourceWord = (source: string): string => sources[source] ?? source;

/** As the contract takes it: "8h", "7d". */
export const muteTimes = [
  {value: '1h', label: 'an hour'},
  {value: '8h', label: '8 hours'},
  {value: '1d', label: 'a day'},
  {value: '7d', label: 'a week'},
  {value: '30d', label: '30 days'},
];
