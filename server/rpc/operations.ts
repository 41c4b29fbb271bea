import type {ServiceImpl} from '@connectrpc/connect';
import type {OperationService} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {parseFilterId} from '../domain/ids.ts';
import type {Operations} from '../domain/operations.ts';
import {callerKey} from './caller.ts';
import {toOperationMessage} from './operation-messages.ts';

export const operationService = (operations: Operations): ServiceImpl<typeof OperationService> => ({
  async listOperations({pageSize, pageToken, machineId}) {
    const filter = parseFilterId('machine_id', machineId);
    const page = await operations.list({machineId: filter, pageSize, pageToken});
    return {
      operations: page.operations.map(toOperationMessage),
      nextPageToken: page.nextPageToken,
    };
  },

  async getOperation({id}) {
    return {operation: toOperationMessage(await operations.get(id))};
  },

  async cancelOperation({id}, {values}) {
    const {name} = values.get(callerKey);
    return {operation: toOperationMessage(await operations.cancel(name, id))};
  },
});
