import {create, fromJsonString, type MessageInitShape, toJsonString} from '@bufbuild/protobuf';
import {ValueSchema} from '@bufbuild/protobuf/wkt';
import {
  type Template,
  type Template_Parameter,
  Template_Parameter_TypeSchema,
  type TemplateMachine,
  TemplateMachineSchema,
  TemplateSchema,
  UpdateTemplateResponseSchema,
} from '@muster/proto/gen/muster/v1/templates_pb.ts';
import type {Command} from 'commander';
import {collectPages, contextOf, parseLimit} from '../context.ts';
import {CommandError, exitStatus} from '../exit-status.ts';
import {readText} from '../image-config.ts';
import {parseTemplateName} from '../template-options.ts';
import {age, clock, type Column, nameOf} from '../output.ts';

const columns: readonly Column<Template>[] = [
  {title: 'NAME', value: template => template.name},
  {title: 'VERSION', value: template => String(template.version)},
  {title: 'FROM', value: template => (template.builtin ? 'Muster' : 'operator')},
  {title: 'PARAMETERS', value: template => String(template.parameters.length)},
  {title: 'AGE', value: template => age(template.createTime)},
  {title: 'DESCRIPTION', value: template => template.description.split('\n')[0] ?? ''},
];

const machineColumns: readonly Column<TemplateMachine>[] = [
  {title: 'MACHINE', value: machine => machine.machineId},
  {title: 'NAME', value: machine => machine.machineName},
  {title: 'VERSION', value: machine => String(machine.version)},
  {title: 'FOLLOWS', value: machine => (machine.follows ? 'newest' : 'this one')},
];

const parameterColumns: readonly Column<Template_Parameter>[] = [
  {title: 'PARAMETER', value: parameter => parameter.name},
  {title: 'TYPE', value: describeType},
  {title: 'DEFAULT', value: describeDefault},
  {title: 'ALLOWED', value: describeAllowed},
  {title: 'DESCRIPTION', value: parameter => parameter.description},
];

type ContentOptions = {
  readonly module?: string;
  readonly definition?: string;
  readonly description?: string;
};

/** `muster templates …` */
export function addTemplateCommands(program: Command): void {
  const templates = program
    .command('templates')
    .description('NixOS modules with parameters that machines share')
    .addHelpText(
      'after',
      '\nGive one to a machine with: muster machines update MACHINE --template NAME --parameter NAME.key=value',
    );
  templates
    .command('list')
    .description('list templates')
    .option('--limit <n>', 'at most this many', parseLimit, 1000)
    .addHelpText('after', '\nExample: muster templates list')
    .action(list);
  templates
    .command('show <template>')
    .description('show one template, its parameters and its module; NAME@VERSION is an earlier one')
    .option('--module', 'only the module')
    .addHelpText('after', '\nExample: muster templates show base-server --module > mine.nix')
    .action(show);
  addContentOptions(templates.command('create <template>'))
    .description('create a template')
    .addHelpText(
      'after',
      `
The definition is JSON: {"description": "…", "parameters": [{"name": "port", "type": "TYPE_INTEGER", "defaultValue": 80, "maximum": 65535}]}
Example: muster templates create web --module web.nix --definition web.json`,
    )
    .action(createTemplate);
  addContentOptions(templates.command('update <template>'))
    .description('add a version; what is not given stays as it is')
    .option('--dry-run', 'only say which machines would be built anew')
    .addHelpText('after', '\nExample: muster templates update web --module web.nix --dry-run')
    .action(update);
  templates
    .command('delete <template>')
    .description('remove a template that no machine uses')
    .addHelpText('after', '\nExample: muster templates delete web')
    .action(remove);
  templates
    .command('machines <template>')
    .description('list the machines that use it')
    .option('--limit <n>', 'at most this many', parseLimit, 1000)
    .addHelpText('after', '\nExample: muster templates machines base-server')
    .action(machines);
}

const addContentOptions = (command: Command): Command =>
  command
    .option(
      '--module <file>',
      'Nix: a function from the parameters to a module; - reads standard input',
    )
    .option('--definition <file>', 'JSON with description and parameters; - reads standard input')
    .option('--description <text>', 'what it is for');

async function list({limit}: {readonly limit: number}, command: Command): Promise<void> {
  const context = contextOf(command);
  const templates = await collectPages(context, limit, async page => {
    const answer = await context.clients.templates.listTemplates(page);
    return {rows: answer.templates, nextPageToken: answer.nextPageToken};
  });
  context.out.list(TemplateSchema, columns, templates);
}

async function show(
  text: string,
  options: {readonly module?: boolean},
  command: Command,
): Promise<void> {
  const {clients, out} = contextOf(command);
  const template = present((await clients.templates.getTemplate(parseTemplateName(text))).template);
  if (out.json) return out.document(TemplateSchema, template);
  if (options.module) return out.line(template.nixosModule.trimEnd());
  out.record({
    name: template.name,
    version: String(template.version),
    from: template.builtin ? 'Muster' : 'operator',
    created: clock(template.createTime),
    description: template.description,
  });
  out.line('');
  if (template.parameters.length > 0) {
    out.table(parameterColumns, template.parameters);
    out.line('');
  }
  out.line(template.nixosModule.trimEnd());
}

async function createTemplate(
  name: string,
  options: ContentOptions,
  command: Command,
): Promise<void> {
  if (options.module === undefined)
    throw new CommandError('Cannot create a template without --module', exitStatus.usage);
  const {clients, out} = contextOf(command);
  const template = {name, ...contentOf(options)};
  const created = present((await clients.templates.createTemplate({template})).template);
  if (out.json) return out.document(TemplateSchema, created);
  out.line(`Created template ${created.name}, version ${created.version}`);
}

async function update(
  name: string,
  options: ContentOptions & {readonly dryRun?: boolean},
  command: Command,
): Promise<void> {
  const {clients, out} = contextOf(command);
  const content = contentOf(options);
  if (Object.keys(content).length === 0)
    throw new CommandError(
      'Cannot update a template without a change: give --module, --definition or --description',
      exitStatus.usage,
    );
  const before = present((await clients.templates.getTemplate({name})).template);
  const {dryRun = false} = options;
  const answer = await clients.templates.updateTemplate({
    template: {...before, ...content},
    dryRun,
  });
  if (out.json) return out.document(UpdateTemplateResponseSchema, answer);
  const {version} = present(answer.template);
  if (version === before.version) return out.line(`Nothing differs from version ${version}`);
  out.line(
    dryRun
      ? `Would add version ${version} of template ${name}`
      : `Added version ${version} of template ${name}`,
  );
  if (answer.machines.length === 0) return out.line('No machine follows its newest version');
  out.line(`The next build of ${answer.machines.length} machines takes it:`);
  out.table(machineColumns, answer.machines);
}

async function remove(name: string, _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  await clients.templates.deleteTemplate({name});
  if (!out.json) out.line(`Deleted template ${name}`);
}

async function machines(
  name: string,
  {limit}: {readonly limit: number},
  command: Command,
): Promise<void> {
  const context = contextOf(command);
  const rows = await collectPages(context, limit, async page => {
    const answer = await context.clients.templates.listTemplateMachines({name, ...page});
    return {rows: answer.machines, nextPageToken: answer.nextPageToken};
  });
  context.out.list(TemplateMachineSchema, machineColumns, rows);
}

function contentOf({module, definition, description}: ContentOptions) {
  const defined = definition === undefined ? undefined : readDefinition(definition);
  return {
    ...defined,
    ...(description === undefined ? {} : {description}),
    ...(module === undefined ? {} : {nixosModule: readText(module)}),
  } satisfies MessageInitShape<typeof TemplateSchema>;
}

function readDefinition(file: string) {
  try {
    const {description, parameters} = fromJsonString(TemplateSchema, readText(file));
    return {description, parameters};
  } catch (error) {
    throw new CommandError(
      `Cannot use "${file}" as definition of a template: ${error instanceof Error ? error.message : String(error)}`,
      exitStatus.usage,
    );
  }
}

const present = (template: Template | undefined): Template => template ?? create(TemplateSchema);

function describeType({type}: Template_Parameter): string {
  return nameOf(Template_Parameter_TypeSchema, type).toLowerCase().replace('_', ' ');
}

function describeDefault({defaultValue}: Template_Parameter): string {
  return defaultValue ? toJsonString(ValueSchema, defaultValue) : 'required';
}

function describeAllowed({allowedValues, pattern, minimum, maximum}: Template_Parameter): string {
  if (allowedValues.length > 0) return allowedValues.join(', ');
  if (pattern !== '') return pattern;
  const bounds = [minimum ?? '', maximum ?? ''];
  return minimum === undefined && maximum === undefined ? 'any' : bounds.join(' to ').trim();
}
