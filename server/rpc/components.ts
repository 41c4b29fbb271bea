import {create} from '@bufbuild/protobuf';
import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import type {ServiceImpl} from '@connectrpc/connect';
import {
  type Component as ComponentMessage,
  ComponentSchema,
  type ComponentService,
} from '@muster/proto/gen/muster/v1/components_pb.ts';
import type {Components} from '../domain/components.ts';
import {parseFilterId} from '../domain/ids.ts';
import type {Component, ComponentStay} from '../store/components.ts';
import {storable} from './storable.ts';

export const componentService = (components: Components): ServiceImpl<typeof ComponentService> => ({
  async listComponents({pageSize, pageToken, kind, machineId, serial}) {
    const filter = parseFilterId('machine_id', machineId);
    const page = await components.list({
      kind: storable(kind, 'kind'),
      serial: storable(serial, 'serial'),
      machineId: filter,
      pageSize,
      pageToken,
    });
    return {
      components: page.components.map(component => toMessage(component)),
      nextPageToken: page.nextPageToken,
    };
  },

  async getComponent({id}) {
    const {component, path} = await components.get(storable(id, 'id'));
    return {component: toMessage(component, path)};
  },
});

function toMessage(component: Component, path: readonly ComponentStay[] = []): ComponentMessage {
  const {id, kind, serial, model, machineId, slot, createTime, leaveTime} = component;
  return create(ComponentSchema, {
    id,
    kind,
    serial,
    model,
    machineId,
    slot,
    createTime: timestampFromDate(createTime),
    ...left(leaveTime),
    path: path.map(stay => ({
      machineId: stay.machineId,
      serviceTag: stay.serviceTag,
      slot: stay.slot,
      arriveTime: timestampFromDate(stay.arriveTime),
      ...left(stay.leaveTime),
    })),
  });
}

const left = (time: Date | undefined) => (time ? {leaveTime: timestampFromDate(time)} : {});
