import {timestampFromMs} from '@bufbuild/protobuf/wkt';
import {
  Operation_State as State,
  OperationChild_State as ChildState,
  OperationService,
} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {
  Rollout_State as RolloutState,
  RolloutService,
} from '@muster/proto/gen/muster/v1/rollouts_pb.ts';
import {Code, ConnectError} from '@connectrpc/connect';
import type {MockNoun} from './transport.ts';

export const rolloutId = '00000000-0000-7000-8002-000000000001';
const noCounts = {
  total: 0,
  queued: 0,
  running: 0,
  succeeded: 0,
  failed: 0,
  skipped: 0,
  cancelled: 0,
};

/** What the mock was asked to do: "resumeRollout retryFailed=true". */
export const operationCalls: string[] = [];

/** A roll-out of five machines that halted at its second wave. */
export const addOperations: MockNoun = router => {
  operationCalls.length = 0;
  let rolloutState: RolloutState = RolloutState.HALTED;
  const operation = {
    id: rolloutId,
    kind: 'rollout',
    action: 'rollout',
    state: State.RUNNING,
    selection: 'group web-servers',
    actor: 'user:ada',
    createTime: timestampFromMs(Date.UTC(2026, 5, 1)),
    children: {...noCounts, total: 5, succeeded: 1, failed: 2, queued: 2},
  };
  const child = (number: number, wave: number, state: ChildState, error = '') => ({
    number,
    wave,
    state,
    error,
    machineId: `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`,
    machine: `node-${number}`,
  });
  const children = [
    child(1, 1, ChildState.SUCCEEDED),
    child(2, 2, ChildState.FAILED, 'It did not come back within 30 minutes'),
    child(3, 2, ChildState.FAILED, 'It did not come back within 30 minutes'),
    child(4, 3, ChildState.QUEUED),
    child(5, 3, ChildState.QUEUED),
  ];
  const rollout = () => ({
    id: rolloutId,
    state: rolloutState,
    holdReason: '2 machines failed, more than the 0 that are allowed',
    nextStep: 'Look at the machines that failed; then resume it',
    waves: [
      {number: 1, canary: true, counts: {...noCounts, total: 1, succeeded: 1}},
      {number: 2, counts: {...noCounts, total: 2, failed: 2}},
      {number: 3, counts: {...noCounts, total: 2, queued: 2}},
    ],
    currentWave: 2,
    concurrency: 20,
    machineTimeoutSeconds: 1800,
    operation,
  });
  router.service(OperationService, {
    listOperations({machineId, states, kinds, since}) {
      if (machineId === 'fail') throw new ConnectError('The database is away', Code.Internal);
      if (kinds.length + states.length > 0)
        operationCalls.push(`listOperations ${kinds.join()} ${states.join()} ${since}`.trim());
      const isWanted =
        (states.length === 0 || states.includes(operation.state)) &&
        (kinds.length === 0 || kinds.includes(operation.kind));
      return {operations: isWanted ? [operation] : []};
    },
    getOperation({id}) {
      if (id !== rolloutId) throw new ConnectError(`Cannot find operation "${id}"`, Code.NotFound);
      return {operation};
    },
    listOperationChildren: ({states}) => ({
      children: children.filter(({state}) => states.length === 0 || states.includes(state)),
    }),
  });
  router.service(RolloutService, {
    listRollouts: () => ({rollouts: [rollout()]}),
    getRollout: () => ({rollout: rollout()}),
    resumeRollout({retryFailed}) {
      operationCalls.push(`resumeRollout retryFailed=${retryFailed}`);
      rolloutState = RolloutState.RUNNING;
      return {rollout: rollout()};
    },
    cancelRollout() {
      operationCalls.push('cancelRollout');
      throw new ConnectError('Cannot change the roll-out: it is over', Code.FailedPrecondition);
    },
  });
};
