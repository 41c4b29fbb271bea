import type {Build, WatchBuildResponse} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {WatchBuildResponseSchema} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {Operation_State, Operation_StateSchema} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {describeDiagnostic} from './diagnostics.ts';
import {CommandError} from './exit-status.ts';
import {nameOf, type Output, progressBar} from './output.ts';

/** The step that runs now; the last one when none does. */
export function currentStep({operation}: Build): string {
  const steps = operation?.steps ?? [];
  const running = steps.find(({state}) => state === Operation_State.RUNNING);
  return (running ?? steps.at(-1))?.name ?? '';
}

/** "[####....]  52 %  RUNNING  boot test" */
export function describeProgress(build: Build): string {
  const state = nameOf(Operation_StateSchema, build.operation?.state ?? 0);
  const percent = build.operation?.progressPercent ?? 0;
  return [progressBar(percent), state, currentStep(build)].filter(text => text !== '').join('  ');
}

/**
 * Shows a build until it is over: log lines and a progress bar for a person, lines at each change of step otherwise. Throws when the
 * build did not succeed.
 */
export async function followBuild(
  updates: AsyncIterable<WatchBuildResponse>,
  out: Output,
): Promise<void> {
  let last: Build | undefined;
  let said = '';
  for await (const message of updates) {
    const {update} = message;
    if (out.json) out.jsonLine(WatchBuildResponseSchema, message);
    else if (update.case === 'log') for (const line of update.value.lines) out.line(line);
    if (update.case === 'build') {
      last = update.value;
      const words = `${nameOf(Operation_StateSchema, last.operation?.state ?? 0)} ${currentStep(last)}`;
      if (!out.json && !out.interactive && words !== said) out.line(`-- ${words.trim()}`);
      said = words;
    }
    if (!out.json && last) out.progress(describeProgress(last));
  }
  if (last && !out.json) {
    out.line(describeProgress(last));
    for (const diagnostic of last.diagnostics)
      out.line(describeDiagnostic(diagnostic, 'nixos_config'));
  }
  assertSucceeded(last);
}

function assertSucceeded(build: Build | undefined): void {
  const operation = build?.operation;
  if (!operation) throw new CommandError('The stream ended before it said anything: try again');
  if (operation.state === Operation_State.SUCCEEDED) return;
  const state = nameOf(Operation_StateSchema, operation.state).toLowerCase();
  throw new CommandError(
    `Build ${build.id} is ${state}${operation.error ? `: ${operation.error}` : ''}`,
  );
}
