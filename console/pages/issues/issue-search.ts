import {severities, stateOf} from './issue-words.ts';

/** As the address has it. `severity` is a list: "critical,warning". */
export type IssueSearch = {
  readonly severity?: string | undefined;
  readonly source?: string | undefined;
  readonly kind?: string | undefined;
  readonly machine?: string | undefined;
  readonly state?: string | undefined;
  readonly muted?: string | undefined;
};

export const severityNames = (text: string | undefined): ReadonlySet<string> =>
  new Set((text ?? '').split(',').filter(Boolean));

export function requestOf({severity, source, kind, machine, state, muted}: IssueSearch) {
  const names = severityNames(severity);
  return {
    severities: severities.filter(([name]) => names.has(name)).map(([, value]) => value),
    source: source ?? '',
    kind: kind ?? '',
    machineId: machine ?? '',
    state: stateOf(state),
    includeCleared: state === 'any',
    ...(muted === 'only' && {muted: true}),
    ...(muted === 'not' && {muted: false}),
  };
}
