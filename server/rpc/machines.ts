import type {ServiceImpl} from '@connectrpc/connect';
import {
  CommandMachineRequest_Command,
  type Machine as MachineMessage,
  MachineSchema,
  type MachineService,
} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import type {Commands} from '../domain/commands.ts';
import {printable} from '../domain/identifiers.ts';
import type {MachineRemoval} from '../domain/machine-removal.ts';
import type {MachineSearch} from '../domain/machine-search.ts';
import type {ExpectedMachine, Machines, OperatorChange} from '../domain/machines.ts';
import type {Sightings} from '../domain/sightings.ts';
import {DomainError} from '../errors.ts';
import type {CommandOperation} from '../store/commands.ts';
import {callerKey} from './caller.ts';
import {
  fromImageConfig,
  fromState,
  type MachineView,
  toMachineMessage,
  toSightingMessage,
} from './machine-messages.ts';
import {columnsOf, toFieldMessage} from './machine-search-messages.ts';
import {type Changeable, pickChange, pickFields} from './pick-change.ts';
import {readMask} from './read-mask.ts';
import {required} from './required.ts';
import {storable, storableLabels} from './storable.ts';
import {fromMachineTemplateMessage} from './template-messages.ts';

const operations: Readonly<Record<number, CommandOperation>> = {
  [CommandMachineRequest_Command.REBOOT]: 'reboot',
  [CommandMachineRequest_Command.POWER_OFF]: 'power_off',
  [CommandMachineRequest_Command.COLLECT_INVENTORY]: 'collect_inventory',
  [CommandMachineRequest_Command.LOCATE]: 'locate',
};

export const machineService = ({
  machines,
  removal,
  search,
  sightings,
  commands,
  view,
}: {
  readonly machines: Machines;
  readonly removal: MachineRemoval;
  readonly search: MachineSearch;
  readonly sightings: Sightings;
  readonly commands: Commands;
  readonly view: MachineView;
}): ServiceImpl<typeof MachineService> => ({
  async listMachines({states, readMask: mask, ...query}) {
    const read = readMask(MachineSchema, mask);
    const columns = columnsOf(read.names);
    const page = await search.list({...query, states: states.map(fromState), columns});
    return {
      machines: page.machines.map(machine => read.apply(toMachineMessage(machine, view))),
      nextPageToken: page.nextPageToken,
      totalSize: BigInt(page.total?.count ?? 0),
      totalEstimated: page.total?.estimated ?? false,
      similar: page.similar,
    };
  },

  async listMachineFacets(request) {
    const facets = await search.facets(request);
    return {
      facets: facets.map(({field, values, more}) => ({
        field,
        values: values.map(({value, count}) => ({value, count: BigInt(count)})),
        more,
      })),
    };
  },

  listMachineFields: () => ({fields: search.fields().map(toFieldMessage)}),

  async getMachine({id}) {
    return {machine: toMachineMessage(await machines.get(id), view)};
  },

  async createMachine({machine}, {values}) {
    const wanted = toExpectedMachine(required(machine, 'a machine'));
    const created = await machines.create(values.get(callerKey).name, wanted);
    return {machine: toMachineMessage(created, view)};
  },

  async updateMachine({machine, updateMask}, {values}) {
    const wanted = required(machine, 'a machine');
    const change = pickChange('machine', changeable, wanted, updateMask?.paths ?? []);
    const changed = await machines.update(values.get(callerKey).name, wanted.id, change);
    return {machine: toMachineMessage(changed, view)};
  },

  async deleteMachine({id, force}, {values}) {
    const {name, role} = values.get(callerKey);
    if (force) await removal.removeByForce(name, role === 'admin', id);
    else await removal.remove(name, id);
    return {};
  },

  async labelMachine({id, set, remove}, {values}) {
    const change = {set: storableLabels(set), remove};
    const labelled = await machines.label(values.get(callerKey).name, id, change);
    return {machine: toMachineMessage(labelled, view)};
  },

  async enrollMachine({serviceTag, macAddress, hardware}) {
    const note = hardware ? JSON.stringify(hardware) : '';
    const said = {serviceTag: printable(serviceTag, 128), macAddress: printable(macAddress, 32)};
    const machine = await sightings.ofScript({...said, note: printable(note, 16_384)});
    return {machine: toSightingMessage(machine, said)};
  },

  async acceptMachine({id}, {values}) {
    const accepted = await machines.accept(values.get(callerKey).name, id);
    return {machine: toMachineMessage(accepted, view)};
  },

  async rejectMachine({id, reason}, {values}) {
    const {name} = values.get(callerKey);
    const rejected = await machines.reject(name, id, printable(reason, 1024));
    return {machine: toMachineMessage(rejected, view)};
  },

  async commandMachine({id, command}, {values}) {
    const operation = operations[command];
    if (!operation)
      throw new DomainError('invalid_argument', `Cannot command machine "${id}": name a command`);
    const requested = await commands.request(id, {operation, actor: values.get(callerKey).name});
    return {commandId: requested.id};
  },
});

export function toExpectedMachine(machine: MachineMessage): ExpectedMachine {
  const {serviceTag, uuid, macAddress, macAddresses} = machine;
  return {
    serviceTag: printable(serviceTag, 128),
    uuid: printable(uuid, 64),
    macAddresses: macAddress ? [macAddress, ...macAddresses] : macAddresses,
    change: pickOperatorChange(machine, Object.keys(changeable)),
  };
}

/** By the names of the contract: what an operator decides. */
const changeable: Changeable<MachineMessage, OperatorChange> = {
  hostname: ({hostname}) => ({hostname}),
  description: ({description}) => ({description: storable(description, 'description')}),
  notes: ({notes}) => ({notes: storable(notes, 'notes')}),
  labels: ({labels}) => ({labels: storableLabels(labels)}),
  nixos_config: ({nixosConfig}) => ({nixosConfig: storable(nixosConfig, 'nixos_config')}),
  image_config: ({imageConfig}) => ({imageConfig: imageConfig && fromImageConfig(imageConfig)}),
  templates: ({templates}) => ({templates: templates.map(fromMachineTemplateMessage)}),
};

/** As an operator's change. Throws invalid_argument. */
export const pickOperatorChange = (
  machine: MachineMessage,
  paths: readonly string[],
): OperatorChange => pickFields('machine', changeable, machine, paths);
