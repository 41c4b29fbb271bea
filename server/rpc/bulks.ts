import {isFieldSet} from '@bufbuild/protobuf';
import type {ContextValues, ServiceImpl} from '@connectrpc/connect';
import {
  type BulkService,
  type CreateBulkRequest,
  CreateBulkRequest_Operation as Action,
} from '@muster/proto/gen/muster/v1/bulk_pb.ts';
import {type Machine, MachineSchema} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import type {Requester} from '../domain/bulk-opening.ts';
import type {BulkSpec} from '../domain/bulk-spec.ts';
import type {Bulks} from '../domain/bulks.ts';
import {DomainError} from '../errors.ts';
import {callerKey} from './caller.ts';
import {pickOperatorChange} from './machines.ts';
import {toOperationMessage} from './operation-messages.ts';
import {storableLabels} from './storable.ts';

const concurrencyDefault = 10;

export const bulkService = (bulks: Bulks): ServiceImpl<typeof BulkService> => ({
  async createBulk(request, {values}) {
    const {machineIds, groupId, filter, dryRun, concurrency, maxFailures} = request;
    const operation = await bulks.create(requesterOf(values), {
      selection: {machineIds, groupId, filter: filter.trim()},
      spec: specOf(request),
      dryRun,
      concurrency: concurrency || concurrencyDefault,
      failuresMax: maxFailures,
      machineLimitSeconds: 0,
    });
    const views = await bulks.views([operation]);
    return {operation: toOperationMessage(operation, views.get(operation.id))};
  },
});

export function requesterOf(values: ContextValues): Requester {
  const {name, userId, address} = values.get(callerKey);
  return {name, userId, address};
}

const actions: Readonly<Record<number, BulkSpec['action']>> = {
  [Action.UPDATE]: 'update',
  [Action.BUILD]: 'build',
  [Action.REBOOT]: 'reboot',
  [Action.LABEL]: 'label',
  [Action.ASSIGN]: 'assign',
  [Action.RELEASE]: 'release',
  [Action.DELETE]: 'delete',
};

function specOf(request: CreateBulkRequest): BulkSpec {
  const {operation, data, updateMask, setLabels, removeLabels, workspace} = request;
  const action = actions[operation];
  if (!action || action === 'rollout')
    throw new DomainError('invalid_argument', 'Cannot start: name an operation');
  const isLabelled = Object.keys(setLabels).length + removeLabels.length > 0;
  if (isLabelled !== (action === 'label'))
    throw new DomainError(
      'invalid_argument',
      action === 'label'
        ? 'Cannot label machines without a label: give set_labels or remove_labels'
        : `Cannot ${action} machines with set_labels or remove_labels: they belong to operation "label"`,
    );
  const isPlaced = action === 'assign' || action === 'release';
  if (isPlaced !== (workspace !== ''))
    throw new DomainError(
      'invalid_argument',
      isPlaced
        ? `Cannot ${action} machines without a workspace: name it`
        : `Cannot ${action} machines with a workspace: it belongs to operations "assign" and "release"`,
    );
  if (action === 'label')
    return {action, labels: {set: storableLabels(setLabels), remove: removeLabels}};
  if (action !== 'update') {
    if (data)
      throw new DomainError(
        'invalid_argument',
        `Cannot ${action} machines with data: it belongs to operation "update"`,
      );
    return isPlaced ? {action, workspace} : {action};
  }
  const change = changeOf(data, updateMask?.paths);
  if (Object.keys(change).length === 0)
    throw new DomainError(
      'invalid_argument',
      'Cannot update machines without a change: give data, and update_mask for fields that shall be emptied',
    );
  return {action, change};
}

/** The fields of the mask; without one, those that are not empty (AIP-134). */
export function changeOf(data: Machine | undefined, paths: readonly string[] | undefined) {
  if (!data) return {};
  const populated = MachineSchema.fields.filter(field => isFieldSet(data, field));
  return pickOperatorChange(data, paths?.length ? paths : populated.map(({name}) => name));
}
