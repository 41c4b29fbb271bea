import {create} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import {
  type Operation as OperationMessage,
  Operation_State,
  OperationSchema,
} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import type {Operation, OperationState} from '../store/operations.ts';

const states: Readonly<Record<OperationState, Operation_State>> = {
  queued: Operation_State.QUEUED,
  running: Operation_State.RUNNING,
  succeeded: Operation_State.SUCCEEDED,
  failed: Operation_State.FAILED,
  cancelled: Operation_State.CANCELLED,
};

export function toOperationMessage(operation: Operation): OperationMessage {
  const {id, kind, progressPercent, error, machineId, actor, cancelRequested} = operation;
  return create(OperationSchema, {
    id,
    kind,
    state: states[operation.state],
    steps: operation.steps.map(step => ({
      name: step.name,
      state: states[step.state],
      ...times(step),
    })),
    progressPercent,
    error,
    machineId: machineId ?? '',
    actor,
    cancelRequested,
    createTime: timestampFromDate(operation.createTime),
    ...times(operation),
  });
}

function times({startTime, endTime}: Pick<Operation, 'startTime' | 'endTime'>) {
  return {
    ...(startTime ? {startTime: timestampFromDate(startTime)} : {}),
    ...(endTime ? {endTime: timestampFromDate(endTime)} : {}),
  };
}
