import {create} from '@bufbuild/protobuf';
import type {ServiceImpl} from '@connectrpc/connect';
import {
  type CreateRolloutRequest,
  type Rollout as RolloutMessage,
  Rollout_State,
  RolloutSchema,
  type RolloutService,
} from '@muster/proto/gen/muster/v1/rollouts_pb.ts';
import {sumOf} from '../domain/bulk-rules.ts';
import type {Bulks} from '../domain/bulks.ts';
import {printable} from '../domain/identifiers.ts';
import type {RolloutState} from '../domain/rollout-view.ts';
import type {Rollout, RolloutOrder, Rollouts} from '../domain/rollouts.ts';
import {changeOf, requesterOf} from './bulks.ts';
import {callerKey} from './caller.ts';
import {toCountsMessage, toOperationMessage} from './operation-messages.ts';

export const rolloutService = (
  rollouts: Rollouts,
  cancel: Bulks['cancel'],
): ServiceImpl<typeof RolloutService> => ({
  async createRollout(request, {values}) {
    const rollout = await rollouts.create(requesterOf(values), orderOf(request));
    return {rollout: toRolloutMessage(rollout)};
  },

  async listRollouts(page) {
    const {rollouts: rows, nextPageToken} = await rollouts.list(page);
    return {rollouts: rows.map(toRolloutMessage), nextPageToken};
  },

  async getRollout({id}) {
    return {rollout: toRolloutMessage(await rollouts.get(id))};
  },

  async pauseRollout({id, reason}, {values}) {
    const {name} = values.get(callerKey);
    const paused = await rollouts.pause(name, id, printable(reason, 1024));
    return {rollout: toRolloutMessage(paused)};
  },

  async resumeRollout({id, retryFailed}, {values}) {
    const resumed = await rollouts.resume(requesterOf(values), id, retryFailed);
    return {rollout: toRolloutMessage(resumed)};
  },

  async cancelRollout({id}, {values}) {
    // Throws not_found of what is no roll-out.
    await rollouts.get(id);
    await cancel(values.get(callerKey).name, id);
    return {rollout: toRolloutMessage(await rollouts.get(id))};
  },
});

function orderOf(request: CreateRolloutRequest): RolloutOrder {
  const {machineIds, groupId, filter, data, updateMask, canary, wave, maxFailures} = request;
  const {concurrency, machineTimeoutSeconds, dryRun} = request;
  const waves = {
    waveSize: (size: number) => ({size}),
    wavePercent: (percent: number) => ({percent}),
  };
  return {
    selection: {machineIds, groupId, filter: filter.trim()},
    change: changeOf(data, updateMask?.paths),
    canary,
    wave: wave.case && waves[wave.case](wave.value),
    failuresMax: maxFailures,
    concurrency,
    machineLimitSeconds: machineTimeoutSeconds,
    dryRun,
  };
}

const states: Readonly<Record<RolloutState, Rollout_State>> = {
  queued: Rollout_State.QUEUED,
  running: Rollout_State.RUNNING,
  paused: Rollout_State.PAUSED,
  halted: Rollout_State.HALTED,
  succeeded: Rollout_State.SUCCEEDED,
  failed: Rollout_State.FAILED,
  cancelled: Rollout_State.CANCELLED,
};

function toRolloutMessage({bulk, state, nextStep, canary, waves}: Rollout): RolloutMessage {
  const {id, operation, action, selection, dryRun, holdReason, wave} = bulk;
  const view = {action, selection, dryRun, counts: sumOf(waves)};
  return create(RolloutSchema, {
    id,
    state: states[state],
    nextStep,
    holdReason,
    waves: waves.map(each => ({
      number: each.wave,
      canary: each.wave === 1 && canary > 0,
      counts: toCountsMessage(each.counts),
    })),
    currentWave: wave,
    maxFailures: bulk.failuresMax ?? 0,
    concurrency: bulk.concurrency,
    machineTimeoutSeconds: bulk.machineLimitSeconds,
    operation: toOperationMessage(operation, view),
  });
}
