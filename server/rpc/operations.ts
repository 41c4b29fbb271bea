import type {ServiceImpl} from '@connectrpc/connect';
import type {OperationService} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import type {Bulks} from '../domain/bulks.ts';
import {parseFilterId} from '../domain/ids.ts';
import type {Operations} from '../domain/operations.ts';
import type {Operation} from '../store/operations.ts';
import {callerKey} from './caller.ts';
import {requireEnum} from './image-messages.ts';
import {
  fromChildState,
  operationStates,
  toChildMessage,
  toOperationMessage,
} from './operation-messages.ts';

export function operationService(
  operations: Operations,
  bulks: Bulks,
): ServiceImpl<typeof OperationService> {
  const messagesOf = async (rows: readonly Operation[]) => {
    const views = await bulks.views(rows);
    return rows.map(row => toOperationMessage(row, views.get(row.id)));
  };
  const messageOf = async (row: Operation) => {
    const [operation] = await messagesOf([row]);
    return operation ? {operation} : {};
  };

  return {
    async listOperations({machineId, states, kinds, since, until, ...request}) {
      const {countTotal, pageSize, pageToken} = request;
      const page = await operations.list({
        machineId: parseFilterId('machine_id', machineId),
        states: states.map(state => requireEnum(operationStates, state, 'states')),
        kinds,
        since,
        until,
        countTotal,
        pageSize,
        pageToken,
      });
      const {nextPageToken, total: totalSize} = page;
      return {operations: await messagesOf(page.operations), nextPageToken, totalSize};
    },

    getOperation: async ({id}) => messageOf(await operations.get(id)),

    async listOperationChildren({operationId, states, ...page}) {
      const {id} = await operations.get(operationId);
      const found = await bulks.children(id, {...page, states: states.map(fromChildState)});
      return {
        children: found.children.map(toChildMessage),
        nextPageToken: found.nextPageToken,
      };
    },

    async cancelOperation({id}, {values}) {
      const {name} = values.get(callerKey);
      return messageOf(await operations.cancel(name, id));
    },
  };
}
