import {type Component, ComponentSchema} from '@muster/proto/gen/muster/v1/components_pb.ts';
import type {Command} from 'commander';
import {collectPages, contextOf, machineIdOf, parseLimit} from '../context.ts';
import {assertAnswered} from '../exit-status.ts';
import {clock, type Column} from '../output.ts';

const columns: readonly Column<Component>[] = [
  {title: 'KIND', value: ({kind}) => kind},
  {title: 'SERIAL', value: ({serial}) => serial},
  {title: 'MODEL', value: ({model}) => model},
  {title: 'MACHINE', value: ({machineId}) => machineId},
  {title: 'SLOT', value: ({slot}) => slot},
  {title: 'LEFT', value: ({leaveTime}) => clock(leaveTime)},
];

/** `muster components …` */
export function addComponentCommands(program: Command): void {
  const components = program
    .command('components')
    .description('parts with a serial, and their way through machines');
  components
    .command('list')
    .description('list components by kind and serial')
    .option('--serial <text>', 'only serials that begin like this')
    .option('--kind <kind>', 'only dimm, disk, nic, baseboard, chassis, tpm or bmc')
    .option('--machine <machine>', 'only what is in this machine now')
    .option('--limit <n>', 'at most this many', parseLimit, 50)
    .addHelpText('after', '\nExample: muster components list --serial S5Y1')
    .action(list);
  components
    .command('show <component>')
    .description('where a component is and has been; by its serial or id')
    .addHelpText('after', '\nExample: muster components show S5Y1NJ0R000001')
    .action(show);
}

async function list(
  options: {
    readonly serial?: string;
    readonly kind?: string;
    readonly machine?: string;
    readonly limit: number;
  },
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const {serial = '', kind = '', limit} = options;
  const machineId = options.machine ? await machineIdOf(context, options.machine) : '';
  const components = await collectPages(context, limit, async page => {
    const request = {...page, serial, kind, machineId};
    const answer = await context.clients.components.listComponents(request);
    return {rows: answer.components, nextPageToken: answer.nextPageToken};
  });
  context.out.list(ComponentSchema, columns, components);
}

async function show(id: string, _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  const {component} = await clients.components.getComponent({id});
  assertAnswered(component);
  if (out.json) return out.document(ComponentSchema, component);
  const {kind, serial, model} = component;
  out.record({id: component.id, kind, serial, model, 'first seen': clock(component.createTime)});
  out.line('');
  out.table(
    [
      {title: 'FROM', value: stay => clock(stay.arriveTime)},
      {title: 'UNTIL', value: stay => clock(stay.leaveTime) || 'now'},
      {title: 'MACHINE', value: stay => stay.machineId},
      {title: 'SERVICE TAG', value: stay => stay.serviceTag},
      {title: 'SLOT', value: stay => stay.slot},
    ],
    component.path,
  );
}
