import type {ServiceImpl} from '@connectrpc/connect';
import type {OperationService} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import type {Bulks} from '../domain/bulks.ts';
import {parseFilterId} from '../domain/ids.ts';
import type {Operations} from '../domain/operations.ts';
import type {Operation} from '../store/operations.ts';
import {callerKey} from './caller.ts';
import {fromChildState, toChildMessage, toOperationMessage} from './operation-messages.ts';

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
    async listOperations({pageSize, pageToken, machineId}) {
      const filter = parseFilterId('machine_id', machineId);
      const page = await operations.list({machineId: filter, pageSize, pageToken});
      return {
        operations: await messagesOf(page.operations),
        nextPageToken: page.nextPageToken,
      };
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
