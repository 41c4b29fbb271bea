import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import type {ServiceImpl} from '@connectrpc/connect';
import type {DiscoveryService} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import type {Bans} from '../domain/bans.ts';
import {printable} from '../domain/identifiers.ts';
import type {MachineImports} from '../domain/machine-imports.ts';
import type {MachineRecords} from '../domain/machine-records.ts';
import type {PendingQueue} from '../domain/pending.ts';
import {callerKey} from './caller.ts';
import {toBanMessage, toPendingMessage} from './discovery-messages.ts';
import {readMachineCsv} from './machine-csv.ts';
import {type MachineView, toMachineMessage} from './machine-messages.ts';
import {toExpectedMachine} from './machines.ts';
import {storable} from './storable.ts';

export const discoveryService = ({
  pending,
  records,
  bans,
  machineImports,
  view,
}: {
  readonly pending: PendingQueue;
  readonly records: MachineRecords;
  readonly bans: Bans;
  readonly machineImports: MachineImports;
  readonly view: MachineView;
}): ServiceImpl<typeof DiscoveryService> => ({
  async listPendingMachines(request) {
    const page = await pending.list(request);
    return {
      machines: page.machines.map(machine => toPendingMessage(machine, view)),
      nextPageToken: page.nextPageToken,
      totalSize: BigInt(page.total),
    };
  },

  async mergeMachines({id, absorbedId}, {values}) {
    const merged = await records.merge(values.get(callerKey).name, id, absorbedId);
    return {machine: toMachineMessage(merged, view)};
  },

  async getMachineEvidence({id}) {
    const {items, boots} = await records.evidence(id);
    return {
      items: [...items],
      boots: boots.map(({values, lastTime, ...rest}) => ({
        ...rest,
        values: [...values],
        lastTime: timestampFromDate(lastTime),
      })),
    };
  },

  async splitMachine({id, identifiers}, {values}) {
    const {name} = values.get(callerKey);
    const {machine, split} = await records.split(name, id, identifiers);
    return {
      machine: toMachineMessage(machine, view),
      splitMachine: toMachineMessage(split, view),
    };
  },

  async banMachine({id, reason}, {values}) {
    const {name} = values.get(callerKey);
    const made = await bans.banMachine(name, id, printable(reason, 256));
    return {bans: made.map(toBanMessage)};
  },

  async listBans(request) {
    const page = await bans.list(request);
    return {bans: page.bans.map(toBanMessage), nextPageToken: page.nextPageToken};
  },

  async createBan({identifier, reason}, {values}) {
    const {name} = values.get(callerKey);
    const ban = await bans.create(name, printable(identifier, 128), printable(reason, 256));
    return {ban: toBanMessage(ban)};
  },

  async deleteBan({id}, {values}) {
    await bans.delete(values.get(callerKey).name, printable(id, 128));
    return {};
  },

  async importExpectedMachines({csv, partial, dryRun}, {values}) {
    const {rowCount, rows, problems: found} = readMachineCsv(storable(csv, 'csv'));
    const expected = rows.map(({line, machine, groups}) => ({
      line,
      groups,
      machine: toExpectedMachine(machine),
    }));
    const {name} = values.get(callerKey);
    const report = await machineImports.run(name, expected, {found, partial, dryRun});
    return {
      rowCount,
      goodCount: report.goodCount,
      applied: report.applied,
      problems: report.problems.toSorted((a, b) => a.line - b.line),
      machineIds: [...report.machineIds],
    };
  },
});
