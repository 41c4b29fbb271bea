import type {ImportMachine, ImportOutcome} from '@muster/proto/gen/muster/v1/imports_pb.ts';
import {readHardwareRecord} from './metal-enrollment-history.ts';
import {readMachineRow, type ReadMachineRow} from './metal-enrollment-machines.ts';
import {inBatches, type Move, pick, rowsOf, withIds} from './move.ts';
import {resultOf} from './report.ts';
import type {Row} from './source.ts';

const machinesAtOnce = 50;

const machineColumns = [
  'id',
  'service_tag',
  'mac_address',
  'status',
  'hostname',
  'description',
  'hardware',
  'nixos_config',
  'bmc_info',
  'enrolled_at',
  'updated_at',
];

type Read = ReadMachineRow & {readonly row: Row};

/** Keys of those that came over. */
export async function moveMachines(move: Move): Promise<ReadonlySet<string>> {
  const {clients, report, call, progress} = move;
  const moved = new Set<string>();
  const twins = findTwins(call.dryRun);
  let bmcs = 0;
  const rows = rowsOf(move, 'machines', {columns: machineColumns, orderBy: ['enrolled_at', 'id']});
  const usable = withIds(move, 'machine', rows, row => row.service_tag);
  const weigh = (row: Row) => (row.nixos_config ?? '').length + (row.hardware ?? '').length;
  for await (const batch of inBatches(usable, {countMax: machinesAtOnce, weigh})) {
    const read = batch.map(row => ({row, ...readMachineRow(row)}));
    const machines = read.map(({machine}) => machine);
    const {outcomes} = await clients.imports.importMachines({...call, machines});
    const came = outcomes.filter(outcome => resultOf(outcome) !== 'skipped');
    for (const {originId} of came) moved.add(originId);
    const lostHardware = move.withHistory
      ? await moveHardware(
          move,
          read.filter(({machine}) => moved.has(machine.originId)),
        )
      : new Map<string, string>();
    const shared = twins(machines);
    for (const [index, outcome] of outcomes.entries()) {
      const {machine, losses} = read[index] ?? {losses: []};
      const {originId} = outcome;
      const lost = [lostHardware.get(originId) ?? [], shared.get(originId) ?? []].flat();
      addLine(move, outcome, {machine, losses: [...losses, ...outcome.losses, ...lost]});
    }
    bmcs += read.filter(({hasBmc}) => hasBmc).length;
    progress(`${moved.size} machines`);
  }
  const advice = 'Their addresses are labels "metal-enrollment/bmc-address".';
  report.leave('user names and passwords of BMCs', bmcs, advice);
  return moved;
}

function addLine(
  {report}: Move,
  outcome: ImportOutcome,
  {machine, losses}: {machine: ImportMachine | undefined; losses: readonly string[]},
): void {
  const result = resultOf(outcome);
  report.add({...pick(outcome), kind: 'machine', name: nameOf(machine), result, losses});
}

/** A dry run keeps nothing, so that the server does not see what an earlier batch would have brought. */
function findTwins(dryRun: boolean) {
  const owners = new Map<string, string>();
  return (machines: readonly ImportMachine[]): ReadonlyMap<string, readonly string[]> => {
    const shared = new Map<string, readonly string[]>();
    if (!dryRun) return shared;
    for (const {originId, macAddresses} of machines) {
      const told = macAddresses
        .filter(mac => owners.has(digitsOf(mac)))
        .map(mac => `MAC address "${mac}" is "${owners.get(digitsOf(mac))}"'s, which comes first`);
      if (told.length > 0) shared.set(originId, told);
    }
    for (const {originId, macAddresses} of machines)
      for (const mac of macAddresses)
        if (tellsApart.test(digitsOf(mac)) && !owners.has(digitsOf(mac)))
          owners.set(digitsOf(mac), originId);
    return shared;
  };
}

const nameOf = (machine: ImportMachine | undefined): string =>
  machine?.hostname || machine?.serviceTag || '';

const digitsOf = (mac: string): string => mac.replaceAll(/[^0-9a-f]/gi, '').toLowerCase();

/** The server knows more of those that do not; these are what a registration image reports of bridges and of nothing. */
const tellsApart = /^(?!0{12}|f{12}|0242)[0-9a-f]{12}$/;

/** What was reported there of each; gives why not, by machine. */
async function moveHardware(
  {clients, call}: Move,
  read: readonly Read[],
): Promise<ReadonlyMap<string, string>> {
  const lost = new Map<string, string>();
  const records = read.flatMap(({row, hardware, machine}) => {
    const record = hardware && readHardwareRecord(row, hardware);
    if (typeof record !== 'string') return record ? [record] : [];
    lost.set(machine.originId, record);
    return [];
  });
  if (records.length > 0) await clients.imports.importRecords({...call, records});
  return lost;
}
