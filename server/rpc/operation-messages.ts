import {create} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import {
  type Operation as OperationMessage,
  Operation_State,
  type OperationChild,
  OperationChild_State,
  OperationChildSchema,
  OperationSchema,
} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {totalOf} from '../domain/bulk-rules.ts';
import type {BulkView, ChildView} from '../domain/bulks.ts';
import type {ChildCounts, ChildState} from '../store/bulk-children.ts';
import type {Operation, OperationState} from '../store/operations.ts';
import {requireEnum} from './image-messages.ts';

export const operationStates: Readonly<Record<OperationState, Operation_State>> = {
  queued: Operation_State.QUEUED,
  running: Operation_State.RUNNING,
  succeeded: Operation_State.SUCCEEDED,
  failed: Operation_State.FAILED,
  cancelled: Operation_State.CANCELLED,
};

const childStates: Readonly<Record<ChildState, OperationChild_State>> = {
  queued: OperationChild_State.QUEUED,
  running: OperationChild_State.RUNNING,
  succeeded: OperationChild_State.SUCCEEDED,
  failed: OperationChild_State.FAILED,
  skipped: OperationChild_State.SKIPPED,
  cancelled: OperationChild_State.CANCELLED,
};

/** Throws on the unspecified one, which names nothing. */
export const fromChildState = (state: OperationChild_State): ChildState =>
  requireEnum(childStates, state, 'state');

/** `view` of an operation over many machines. */
export function toOperationMessage(operation: Operation, view?: BulkView): OperationMessage {
  const {id, kind, progressPercent, error, machineId, actor, cancelRequested} = operation;
  return create(OperationSchema, {
    id,
    kind,
    state: operationStates[operation.state],
    steps: operation.steps.map(step => ({
      name: step.name,
      state: operationStates[step.state],
      ...times(step),
    })),
    progressPercent,
    error,
    machineId: machineId ?? '',
    actor,
    cancelRequested,
    createTime: timestampFromDate(operation.createTime),
    ...times(operation),
    ...(view ? {...view, children: toCountsMessage(view.counts)} : {}),
  });
}

export const toCountsMessage = (counts: ChildCounts) => ({...counts, total: totalOf(counts)});

export function toChildMessage(child: ChildView): OperationChild {
  const {number, machine, step, summary, error, wave, nextStep} = child;
  return create(OperationChildSchema, {
    number,
    machineId: child.machineId ?? '',
    machine,
    state: childStates[child.state],
    step,
    summary,
    error,
    buildId: child.buildId ?? '',
    commandId: child.commandId ?? '',
    wave,
    nextStep,
    ...times(child),
  });
}

function times({
  startTime,
  endTime,
}: {
  readonly startTime: Date | undefined;
  readonly endTime: Date | undefined;
}) {
  return {
    ...(startTime ? {startTime: timestampFromDate(startTime)} : {}),
    ...(endTime ? {endTime: timestampFromDate(endTime)} : {}),
  };
}
