import type {MessageInitShape} from '@bufbuild/protobuf';
import {timestampFromMs} from '@bufbuild/protobuf/wkt';
import {
  OperationChild_State as ChildState,
  Operation_State as OperationState,
  OperationService,
} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {
  Rollout_State as State,
  type RolloutSchema,
  RolloutService,
} from '@muster/proto/gen/muster/v1/rollouts_pb.ts';
import {Code, ConnectError} from '@connectrpc/connect';
import type {MockNoun} from './transport.ts';

type RolloutInit = MessageInitShape<typeof RolloutSchema>;

/** 13 failures that are borne are refused. One of three machines is refused in a dry run. */
export const addRollouts: MockNoun = router => {
  let rollouts: RolloutInit[] = [];
  router.service(RolloutService, {
    createRollout({groupId, canary, maxFailures, dryRun, concurrency}) {
      if (maxFailures === 13)
        throw new ConnectError(
          'Cannot start another roll-out: 50 are not over; wait for one, or cancel one',
          Code.ResourceExhausted,
        );
      const rollout: RolloutInit = {
        id: `0198c0de-0000-7000-8000-00000000000${rollouts.length}`,
        state: State.RUNNING,
        waves: [{number: 1, canary: canary > 0}, {number: 2}],
        currentWave: 1,
        maxFailures,
        concurrency,
        nextStep: 'Wave 1 of 2: 0 of 1 machine up to here are over',
        operation: {
          state: OperationState.RUNNING,
          kind: 'rollout',
          selection: `group "${groupId}"`,
          actor: 'user:ada',
          dryRun,
          createTime: timestampFromMs(Date.now()),
        },
      };
      rollouts = [rollout, ...rollouts];
      return {rollout};
    },
    listRollouts: () => ({rollouts}),
  });
  router.service(OperationService, {
    listOperationChildren: () => ({
      children: [
        {number: 1, machine: 'node-00001', wave: 1, state: ChildState.SUCCEEDED, summary: 'Build'},
        {
          number: 2,
          machine: 'node-00002',
          wave: 2,
          state: ChildState.FAILED,
          error: 'It is in quarantine: accept it first',
        },
        {number: 3, machine: 'node-00003', wave: 2, state: ChildState.SUCCEEDED, summary: 'Build'},
      ],
    }),
  });
};
