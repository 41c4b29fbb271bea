import {
  type Ban,
  Ban_KindSchema,
  BanSchema,
  GetMachineEvidenceResponseSchema,
  type GetMachineEvidenceResponse_Boots as EvidenceBoots,
  type GetMachineEvidenceResponse_Item as EvidenceItem,
  ImportExpectedMachinesResponseSchema,
  type ImportExpectedMachinesResponse_Problem as Problem,
  type PendingMachine,
  PendingMachineSchema,
  SplitMachineResponseSchema,
} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import {Machine_StateSchema} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import type {Command} from 'commander';
import {collectPages, contextOf, machineIdOf, parseLimit} from '../context.ts';
import {CommandError} from '../exit-status.ts';
import {readText} from '../image-config.ts';
import {machineName, showMachine} from '../machine-view.ts';
import {age, clock, type Column, nameOf, type Output} from '../output.ts';

/** `muster machines pending`, `merge`, `evidence`, `split`, `ban`, `bans`, `unban`, `import` */
export function addDiscoveryCommands(machines: Command): void {
  machines
    .command('pending')
    .description('machines that wait, with everything that tells which box each is')
    .option('--limit <n>', 'at most this many', parseLimit, 200)
    .addHelpText('after', '\nExample: muster machines pending')
    .action(pending);
  machines
    .command('merge <machine> <absorbed>')
    .description('two records are one machine: the first stays and answers for both')
    .addHelpText('after', '\nExample: muster machines merge ABC1234 52:54:00:aa:00:01')
    .action(merge);
  machines
    .command('evidence <machine>')
    .description('what a record is recognised by, and what of it came in the same boots')
    .addHelpText('after', '\nExample: muster machines evidence ABC1234')
    .action(evidence);
  machines
    .command('split <machine> <identifier...>')
    .description('one record has swallowed two boxes: what is named goes to a new record')
    .addHelpText('after', '\nExample: muster machines split ABC1234 52:54:00:aa:00:01 XYZ9876')
    .action(split);
  machines
    .command('ban <machine>')
    .description('never let this box in again; --identifier bans one that nobody has a record of')
    .option('--reason <text>', 'shown at its boot', '')
    .option('--identifier', '<machine> is a MAC address, a UUID or a serial number as it stands')
    .addHelpText('after', '\nExample: muster machines ban ABC1234 --reason "stolen"')
    .action(ban);
  machines
    .command('bans')
    .description('list what is banned')
    .option('--limit <n>', 'at most this many', parseLimit, 1000)
    .addHelpText('after', '\nExample: muster machines bans')
    .action(bans);
  machines
    .command('unban <identifier...>')
    .description('end bans, by identifier or id; what was rejected waits for "machines accept"')
    .addHelpText('after', '\nExample: muster machines unban 52:54:00:aa:00:01')
    .action(unban);
  machines
    .command('import <file>')
    .description('register the machines of a CSV file as expected; - reads standard input')
    .option('--partial', 'register the good lines although others are bad')
    .option('--dry-run', 'only the report')
    .addHelpText(
      'after',
      `
Headings: serial, uuid, macs, hostname, description, notes, groups, templates, labels, label.KEY

Example: muster machines import rack7.csv --dry-run`,
    )
    .action(importCsv);
}

async function pending({limit}: {readonly limit: number}, command: Command): Promise<void> {
  const context = contextOf(command);
  const rows = await collectPages(context, limit, async ({pageSize, pageToken}) => {
    const page = {pageSize: Math.min(pageSize, 200), pageToken};
    const answer = await context.clients.discovery.listPendingMachines(page);
    return {rows: answer.machines, nextPageToken: answer.nextPageToken};
  });
  const {out} = context;
  if (out.json) return out.documents(PendingMachineSchema, rows);
  for (const [index, row] of rows.entries()) {
    if (index > 0) out.line('');
    showPending(out, row);
  }
  if (rows.length === 0) context.remark('No machine waits');
}

function showPending(out: Output, pending: PendingMachine): void {
  const {machine} = pending;
  if (!machine) return;
  out.record({
    machine: machineName(machine),
    id: machine.id,
    waits: `${age(machine.createTime)}, ${nameOf(Machine_StateSchema, machine.state)}`,
    serial: machine.serviceTag,
    product: `${machine.manufacturer} ${machine.product}`.trim(),
    'boots from': machine.macAddress,
    bmc: [pending.bmcMacAddress, pending.bmcIpAddress].filter(Boolean).join(' '),
    'switch ports': pending.switchPorts
      .map(({interface: name, switch: other, port}) => `${name} at ${other} ${port}`)
      .join(', '),
    identity: `${pending.identityScore}: ${pending.identityReasons.join(', ') || 'nothing usable'}`,
    'looks like': pending.lookAlikes
      .map(
        ({name, machineId, state, score, reasons}) =>
          `${name} (${machineId}, ${nameOf(Machine_StateSchema, state)}, ${score}: ${reasons.join(', ')})`,
      )
      .join('; '),
    'held by': pending.heldByRule ? `rule ${pending.heldByRule}` : '',
    'next step': pending.nextStep,
  });
}

async function merge(
  name: string,
  absorbed: string,
  _options: object,
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const id = await machineIdOf(context, name);
  const absorbedId = await machineIdOf(context, absorbed);
  const {machine} = await context.clients.discovery.mergeMachines({id, absorbedId});
  showMachine(context.out, machine);
}

const itemColumns: readonly Column<EvidenceItem>[] = [
  {title: 'KIND', value: ({kind}) => kind.replaceAll('_', ' ')},
  {title: 'VALUE', value: ({value}) => value},
];
const bootsColumns: readonly Column<EvidenceBoots>[] = [
  {title: 'LAST BOOT', value: ({lastTime}) => clock(lastTime)},
  {title: 'BOOTS', value: ({count}) => String(count)},
  {title: 'FROM', value: ({ipAddress}) => ipAddress},
  {title: 'TOGETHER', value: ({values}) => values.join(' ')},
];

async function evidence(name: string, _options: object, command: Command): Promise<void> {
  const context = contextOf(command);
  const id = await machineIdOf(context, name);
  const answer = await context.clients.discovery.getMachineEvidence({id});
  const {out} = context;
  if (out.json) return out.document(GetMachineEvidenceResponseSchema, answer);
  out.table(itemColumns, answer.items);
  if (answer.boots.length === 0) return;
  out.line('');
  out.table(bootsColumns, answer.boots);
}

async function split(
  name: string,
  identifiers: readonly string[],
  _options: object,
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const id = await machineIdOf(context, name);
  const request = {id, identifiers: [...identifiers]};
  const answer = await context.clients.discovery.splitMachine(request);
  if (context.out.json) return context.out.document(SplitMachineResponseSchema, answer);
  showMachine(context.out, answer.machine);
  context.out.line('');
  showMachine(context.out, answer.splitMachine);
}

const banColumns: readonly Column<Ban>[] = [
  {title: 'KIND', value: ({kind}) => nameOf(Ban_KindSchema, kind)},
  {title: 'IDENTIFIER', value: ({value}) => value},
  {title: 'SINCE', value: ({createTime}) => clock(createTime)},
  {title: 'BY', value: ({actor}) => actor},
  {title: 'REASON', value: ({reason}) => reason},
];

function showBans(out: Output, rows: readonly Ban[]): void {
  out.list(BanSchema, banColumns, rows);
}

async function ban(
  name: string,
  {reason, identifier}: {readonly reason: string; readonly identifier?: boolean},
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const {discovery} = context.clients;
  if (identifier) {
    const answer = await discovery.createBan({identifier: name, reason});
    return showBans(context.out, answer.ban ? [answer.ban] : []);
  }
  const id = await machineIdOf(context, name);
  showBans(context.out, (await discovery.banMachine({id, reason})).bans);
}

async function bans({limit}: {readonly limit: number}, command: Command): Promise<void> {
  const context = contextOf(command);
  const rows = await collectPages(context, limit, async page => {
    const answer = await context.clients.discovery.listBans(page);
    return {rows: answer.bans, nextPageToken: answer.nextPageToken};
  });
  showBans(context.out, rows);
}

async function unban(names: readonly string[], _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  for (const id of names) {
    await clients.discovery.deleteBan({id});
    if (!out.json) out.line(`Ended the ban of ${id}`);
  }
}

const problemColumns: readonly Column<Problem>[] = [
  {title: 'LINE', value: ({line}) => String(line)},
  {title: 'COLUMN', value: ({column}) => column},
  {title: 'PROBLEM', value: ({problem}) => problem},
  {title: 'WHAT TO DO', value: ({remedy}) => remedy},
];

async function importCsv(
  file: string,
  {partial, dryRun}: {readonly partial?: boolean; readonly dryRun?: boolean},
  command: Command,
): Promise<void> {
  const {clients, out} = contextOf(command);
  const report = await clients.discovery.importExpectedMachines({
    csv: readText(file),
    partial: partial === true,
    dryRun: dryRun === true,
  });
  const {rowCount, goodCount, applied, problems} = report;
  if (out.json) out.document(ImportExpectedMachinesResponseSchema, report);
  else {
    if (problems.length > 0) out.table(problemColumns, problems);
    out.line(
      applied ? `Registered ${goodCount} of ${rowCount}` : `${goodCount} of ${rowCount} are fine`,
    );
  }
  if (problems.length > 0 && !partial && !dryRun)
    throw new CommandError(
      `Cannot import "${file}": nothing was registered; correct the lines, or add --partial`,
    );
}
