import {
  CommandMachineRequest_Command as MachineCommand,
  Machine_State,
  Machine_StateSchema,
  MachineSchema,
} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import type {Command} from 'commander';
import {collectPages, contextOf, machineIdOf, parseLimit} from '../context.ts';
import {CommandError, exitStatus} from '../exit-status.ts';
import {changedImageConfig, type ImageOptions, readText} from '../image-config.ts';
import {showMachineWithIssues} from '../issue-view.ts';
import {machineColumns, shownFields, showMachine, summarizeMachine} from '../machine-view.ts';
import {clock} from '../output.ts';
import {addSearchOptions, type SearchOptions, searchOf} from '../search-options.ts';
import {addMachineRemoval} from './machine-removal.ts';
import {addDiscoveryCommands} from './discovery.ts';
import {addConfigurationCommand} from './group-inheritance.ts';
import {addMachineSearchCommands} from './machine-search.ts';
import {changedTemplates, type TemplateOptions} from '../template-options.ts';

/** `muster machines …` */
export function addMachineCommands(program: Command): void {
  const machines = program
    .command('machines')
    .description('machines: what there is and what shall become of it')
    .addHelpText('after', '\nA machine is named by its id, its serial number or a MAC address.');

  addSearchOptions(
    machines
      .command('list')
      .description('list machines')
      .option('--state <state...>', 'only machines in these states, for example READY ACTIVE')
      .option('--limit <n>', 'at most this many', parseLimit, 1000),
  )
    .addHelpText(
      'after',
      `
Example: muster machines list --state PENDING
Example: muster machines list --filter 'hardware.memory_bytes > 64G poweredge' --label rack=r7 --order-by hostname`,
    )
    .action(list);
  machines
    .command('get <machine>')
    .description('show one machine')
    .addHelpText('after', '\nExample: muster machines get 52:54:00:aa:00:01')
    .action(get);
  machines
    .command('update <machine>')
    .description('change what an operator decides about a machine')
    .option('--hostname <name>', 'its host name; an empty one clears it')
    .option('--description <text>', 'free text')
    .option('--notes <text>', 'free text, for searching, too')
    .option(
      '--package <name...>',
      'Debian packages of the system it shall run, in place of those before',
    )
    .option('--ssh-key <line...>', 'lines of authorized_keys for root, in place of those before')
    .option(
      '--image-config <file>',
      'JSON of the whole system it shall run; - reads standard input',
    )
    .option('--nixos-config <file>', 'the NixOS module it shall run; - reads standard input')
    .option(
      '--template <name...>',
      'templates of its NixOS system, as NAME or NAME@VERSION, in place of those before',
    )
    .option('--no-templates', 'no templates any more')
    .option('--parameter <assignment...>', 'TEMPLATE.PARAMETER=VALUE; without =VALUE its default')
    .addHelpText(
      'after',
      `
Example: muster machines update ABC1234 --hostname web1 --package nginx htop
Example: muster machines update ABC1234 --template base-server --parameter base-server.timeZone=Europe/Berlin
Example: echo '{"packages": ["nginx-light"], "kernelArguments": ["quiet"]}' | muster machines update ABC1234 --image-config -`,
    )
    .action(update);
  machines
    .command('create')
    .description('enter a machine that is expected; it is EXPECTED until it boots')
    .option('--serial <serial>', 'system serial number')
    .option('--uuid <uuid>', 'SMBIOS UUID')
    .option('--mac <mac...>', 'MAC addresses')
    .option('--hostname <name>', 'its host name')
    .option('--description <text>', 'free text')
    .addHelpText('after', '\nExample: muster machines create --serial ABC1234 --hostname web1')
    .action(createExpected);
  addMachineSearchCommands(machines);
  addConfigurationCommand(machines);
  addDiscoveryCommands(machines);
  addDecisions(machines);
  addMachineRemoval(machines);
}

function addDecisions(machines: Command): void {
  machines
    .command('watch')
    .description('list machines, then print each again when it changes, until Ctrl-C')
    .addHelpText('after', '\nExample: muster machines watch --json | jq .state')
    .action(watch);
  machines
    .command('accept <machine>')
    .description('let a PENDING machine in')
    .addHelpText('after', '\nExample: muster machines accept ABC1234')
    .action(accept);
  machines
    .command('reject <machine>')
    .description('turn a machine away: it boots its local disk from then on')
    .option('--reason <text>', 'why', '')
    .addHelpText('after', '\nExample: muster machines reject ABC1234 --reason "not ours"')
    .action(reject);
  machines
    .command('command <machine> <command>')
    .description('have the agent do something: reboot, power-off, collect-inventory or locate')
    .addHelpText('after', '\nExample: muster machines command ABC1234 reboot')
    .action(command);
}

async function list(
  options: SearchOptions & {readonly state?: readonly string[]; readonly limit: number},
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const states = (options.state ?? []).map(parseState);
  const search = await searchOf(context, options);
  // A table shows little of a machine; JSON is the whole.
  const readMask = context.out.json ? undefined : {paths: [...shownFields]};
  let similar = false;
  const machines = await collectPages(context, options.limit, async page => {
    const answer = await context.clients.machines.listMachines({
      ...page,
      ...search,
      states,
      ...(readMask && {readMask}),
    });
    similar ||= answer.similar;
    return {rows: answer.machines, nextPageToken: answer.nextPageToken};
  });
  if (context.out.json) return context.out.documents(MachineSchema, machines);
  context.out.table(machineColumns, machines);
  if (similar) context.remark('No machine holds these words: these hold some that are like them');
  if (machines.length > 0) return;
  if (search.filter !== '' || states.length > 0) context.remark('No machine meets this');
  else context.remark('No machines yet: let one boot from the network, or run "npm run lab"');
}

const get = (name: string, _options: object, command: Command): Promise<void> =>
  showMachineWithIssues(contextOf(command), name);

async function update(
  name: string,
  options: ImageOptions &
    TemplateOptions & {
      readonly hostname?: string;
      readonly description?: string;
      readonly notes?: string;
      readonly nixosConfig?: string;
    },
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const {hostname, description, notes, nixosConfig} = options;
  const imageConfig = await changedImageConfig(context, name, options);
  const templates = await changedTemplates(context, name, options);
  const changes = {
    ...(hostname !== undefined && {hostname}),
    ...(description !== undefined && {description}),
    ...(notes !== undefined && {notes}),
    ...(imageConfig !== undefined && {imageConfig}),
    ...(templates !== undefined && {templates: [...templates]}),
    ...(nixosConfig !== undefined && {nixosConfig: readText(nixosConfig)}),
  };
  const paths = Object.keys(changes).map(key =>
    key.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`),
  );
  if (paths.length === 0)
    throw new CommandError(
      'Cannot update a machine without a change: give --hostname, --description, --notes, --package, --ssh-key, --image-config, --nixos-config, --template or --parameter',
      exitStatus.usage,
    );
  const id = await machineIdOf(context, name);
  const {machine} = await context.clients.machines.updateMachine({
    machine: {id, ...changes},
    updateMask: {paths},
  });
  showMachine(context.out, machine);
}

async function createExpected(
  options: {
    readonly serial?: string;
    readonly uuid?: string;
    readonly mac?: readonly string[];
    readonly hostname?: string;
    readonly description?: string;
  },
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const {machine} = await context.clients.machines.createMachine({
    machine: {
      serviceTag: options.serial ?? '',
      uuid: options.uuid ?? '',
      macAddresses: [...(options.mac ?? [])],
      hostname: options.hostname ?? '',
      description: options.description ?? '',
    },
  });
  showMachine(context.out, machine);
}

async function watch(_options: object, command: Command): Promise<void> {
  const context = contextOf(command);
  const {clients, out, signal} = context;
  const stream = clients.events.watchEvents({typePrefix: 'machine.'}, {signal});
  const changes = stream[Symbol.asyncIterator]();
  // Asked for before the list, so that no change falls between the two.
  let next = changes.next();
  const {machines} = await clients.machines.listMachines({pageSize: 1000});
  if (out.json) for (const machine of machines) out.jsonLine(MachineSchema, machine);
  else out.table(machineColumns, machines);

  try {
    for (let result = await next; !result.done; result = await next) {
      next = changes.next();
      const {event} = result.value;
      if (!event?.machineId) continue;
      const {machine} = await clients.machines.getMachine({id: event.machineId});
      if (!machine) continue;
      if (out.json) out.jsonLine(MachineSchema, machine);
      else
        out.line(
          `${clock(event.time)}  ${event.type.padEnd(28)}  ${summarizeMachine(out, machine)}`,
        );
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function accept(name: string, _options: object, command: Command): Promise<void> {
  const context = contextOf(command);
  const id = await machineIdOf(context, name);
  const {machine} = await context.clients.machines.acceptMachine({id});
  showMachine(context.out, machine);
}

async function reject(
  name: string,
  {reason}: {readonly reason: string},
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const id = await machineIdOf(context, name);
  const {machine} = await context.clients.machines.rejectMachine({id, reason});
  showMachine(context.out, machine);
}

const machineCommands: ReadonlyMap<string, MachineCommand> = new Map([
  ['reboot', MachineCommand.REBOOT],
  ['power-off', MachineCommand.POWER_OFF],
  ['collect-inventory', MachineCommand.COLLECT_INVENTORY],
  ['locate', MachineCommand.LOCATE],
]);

async function command(
  name: string,
  word: string,
  _options: object,
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const operation = machineCommands.get(word);
  if (operation === undefined)
    throw new CommandError(
      `Cannot send "${word}": say ${[...machineCommands.keys()].join(', ')}`,
      exitStatus.usage,
    );
  const id = await machineIdOf(context, name);
  const {commandId} = await context.clients.machines.commandMachine({id, command: operation});
  if (context.out.json) return context.out.line(JSON.stringify({commandId}));
  context.out.line(
    `Sent ${word}; the answer comes as an event: muster events watch --machine ${id}`,
  );
}

function parseState(text: string): Machine_State {
  const name = text.toUpperCase();
  const found = Machine_StateSchema.values.find(value => value.localName === name);
  if (!found || found.number === Machine_State.UNSPECIFIED)
    throw new CommandError(
      `Cannot list machines in state "${text}": say ${Machine_StateSchema.values
        .slice(1)
        .map(value => value.localName)
        .join(', ')}`,
      exitStatus.usage,
    );
  return found.number as Machine_State;
}
