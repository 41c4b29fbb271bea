import type {BootTest} from '../store/boot-tests.ts';
import {type Build, notifyBuild, updateBuild} from '../store/builds.ts';
import type {Sql} from '../store/db.ts';
import type {Diagnostic} from '../store/diagnostics.ts';
import {appendEvent} from '../store/events.ts';
import {updateOperation} from '../store/operations.ts';
import {updated} from './changes.ts';
import type {Deps} from './deps.ts';
import {endSteps} from './operations.ts';
import type {Transitions} from './transitions.ts';

export type BuildEnd =
  | {
      readonly outcome: 'succeeded';
      readonly actor: string;
      readonly imageId: string;
      readonly cached: boolean;
    }
  | {
      readonly outcome: 'failed';
      readonly actor: string;
      readonly error: string;
      readonly bootTests?: readonly BootTest[];
      readonly diagnostics?: readonly Diagnostic[];
    }
  | {readonly outcome: 'cancelled'; readonly actor: string; readonly error: string};

/** What a build's end means for its machine. */
export type BuildTransitions = Pick<Transitions, 'buildFailed' | 'buildCancelled'> & {
  readonly imageReady: (
    tx: Sql,
    ready: {readonly machineId: string; readonly imageId: string; readonly actor: string},
  ) => Promise<unknown>;
};

/** The one way in which a build ends: operation, build, machine and event in the caller's transaction, which has locked the build. */
export const endBuild =
  ({
    now,
    newId,
    transitions,
  }: Pick<Deps, 'now' | 'newId'> & {readonly transitions: BuildTransitions}) =>
  async (tx: Sql, build: Build, end: BuildEnd): Promise<void> => {
    const {id, machineId, operation} = build;
    const {outcome, actor} = end;
    const time = now();
    const error = outcome === 'succeeded' ? '' : end.error;
    await updateOperation(tx, id, {
      state: outcome,
      steps: endSteps(operation.steps, outcome, time),
      error,
      endTime: time,
      ...(outcome === 'succeeded' ? {progressPercent: 100} : {}),
    });

    const result =
      outcome === 'succeeded'
        ? {imageId: end.imageId, cached: end.cached}
        : outcome === 'failed'
          ? {bootTests: end.bootTests ?? [], diagnostics: end.diagnostics ?? []}
          : {};
    await updateBuild(tx, id, {live: false, ...result});
    if (machineId !== undefined) await tellMachine(transitions, tx, machineId, {id, error, end});

    await appendEvent(tx, {
      id: newId(),
      time,
      type: `build.${outcome}`,
      actor,
      machineId,
      subject: `builds/${id}`,
      data: {
        kind: build.kind,
        variant: build.variant,
        attempt: build.attempt,
        ...(outcome === 'succeeded' ? {imageId: end.imageId, cached: end.cached} : {error}),
      },
      change: updated(
        {state: operation.state},
        {state: outcome, ...(outcome === 'succeeded' ? {imageId: end.imageId} : {error})},
      ),
    });
    await notifyBuild(tx, id);
  };

async function tellMachine(
  transitions: BuildTransitions,
  tx: Sql,
  machineId: string,
  {id, error, end}: {readonly id: string; readonly error: string; readonly end: BuildEnd},
): Promise<void> {
  const {actor} = end;
  if (end.outcome === 'succeeded')
    await transitions.imageReady(tx, {machineId, imageId: end.imageId, actor});
  else if (end.outcome === 'failed')
    await transitions.buildFailed(tx, {machineId, actor, reason: `Build "${id}" failed: ${error}`});
  else
    await transitions.buildCancelled(tx, {machineId, actor, reason: `Build "${id}" was cancelled`});
}
