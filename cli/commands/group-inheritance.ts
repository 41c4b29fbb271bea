import {
  type Group,
  type MachineConfiguration_Value as Value,
  MachineConfigurationSchema,
} from '@muster/proto/gen/muster/v1/groups_pb.ts';
import type {Command} from 'commander';
import {
  addBootProfileOptions,
  type BootProfileOptions,
  changedBootProfile,
} from '../boot-profile-options.ts';
import {contextOf, machineIdOf} from '../context.ts';
import {assertAnswered, CommandError, exitStatus} from '../exit-status.ts';
import type {Column, Output} from '../output.ts';
import {changedUses, type TemplateOptions} from '../template-options.ts';

type Show = (out: Output, group: Group | undefined) => void;

/** `muster groups set-templates`, `set-boot-profile`: what its machines inherit. */
export function addInheritanceCommands(groups: Command, show: Show): void {
  groups
    .command('set-templates <group> [name...]')
    .alias('set-template')
    .description('templates of its machines that have none of their own; without names, none')
    .option('--parameter <assignment...>', 'TEMPLATE.PARAMETER=VALUE; without =VALUE its default')
    .addHelpText(
      'after',
      '\nExample: muster groups set-templates web-servers base-server --parameter base-server.timeZone=Europe/Berlin',
    )
    .action(setTemplates(show));
  addBootProfileOptions(
    groups
      .command('set-boot-profile <group>')
      .description('what its machines boot with where their own image_config does not say')
      .option('--clear', 'nothing any more'),
  )
    .addHelpText(
      'after',
      '\nExample: muster groups set-boot-profile web-servers --serial-console ttyS0,115200 --package nginx',
    )
    .action(setBootProfile(show));
}

/** `muster machines configuration` */
export function addConfigurationCommand(machines: Command): void {
  machines
    .command('configuration <machine>')
    .description('what its next build uses, with where each value comes from')
    .addHelpText('after', '\nExample: muster machines configuration ABC1234')
    .action(showConfiguration);
}

const setTemplates =
  (show: Show) =>
  async (
    id: string,
    names: readonly string[],
    {parameter}: Pick<TemplateOptions, 'parameter'>,
    command: Command,
  ): Promise<void> => {
    const context = contextOf(command);
    const {groups} = context.clients;
    const before = (await groups.getGroup({id})).group?.templates ?? [];
    const named = names.length > 0 || !parameter ? {template: names} : {};
    const options = {...named, ...(parameter && {parameter})};
    const templates = (await changedUses(context, options, () => Promise.resolve(before))) ?? [];
    const answer = await groups.updateGroup({
      group: {id, templates: [...templates]},
      updateMask: {paths: ['templates']},
    });
    show(context.out, answer.group);
  };

const setBootProfile =
  (show: Show) =>
  async (
    id: string,
    {clear, ...options}: BootProfileOptions & {readonly clear?: boolean},
    command: Command,
  ): Promise<void> => {
    const {clients, out} = contextOf(command);
    const before = (await clients.groups.getGroup({id})).group?.bootProfile;
    const changed = changedBootProfile(clear ? undefined : before, options);
    if (!changed && !clear)
      throw new CommandError(
        'Cannot set a boot profile that says nothing: give --kernel-argument, --serial-console, --package or --ssh-key, or --clear',
        exitStatus.usage,
      );
    const answer = await clients.groups.updateGroup({
      group: {id, ...(changed && {bootProfile: changed})},
      updateMask: {paths: ['boot_profile']},
    });
    show(out, answer.group);
  };

const columns: readonly Column<Value>[] = [
  {title: 'FIELD', value: ({field}) => field},
  {title: 'FROM', value: ({origin}) => origin},
  {title: 'VALUE', value: ({value}) => value},
];

async function showConfiguration(name: string, _options: object, command: Command): Promise<void> {
  const context = contextOf(command);
  const machineId = await machineIdOf(context, name);
  const answer = await context.clients.groups.getMachineConfiguration({machineId});
  const {configuration} = answer;
  assertAnswered(configuration);
  if (context.out.json) return context.out.document(MachineConfigurationSchema, configuration);
  context.out.table(columns, configuration.values);
  if (configuration.values.length === 0) context.remark('Nothing is configured for it');
}
