import {create, type JsonObject, type JsonValue} from '@bufbuild/protobuf';
import {
  type MachineTemplate,
  MachineTemplateSchema,
} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {
  type Template_Parameter,
  Template_Parameter_Type,
} from '@muster/proto/gen/muster/v1/templates_pb.ts';
import type {Context} from './context.ts';
import {CommandError, exitStatus} from './exit-status.ts';

/** `--template`, `--parameter` and `--no-templates`, as commander gives them. */
export type TemplateOptions = {
  readonly template?: readonly string[];
  readonly parameter?: readonly string[];
  /** False with `--no-templates`. */
  readonly templates?: boolean;
};

/**
 * The machine's templates by now, with others or other parameters; a template that stays keeps its parameters. Undefined when the options change
 * nothing of it.
 */
export const changedTemplates = (
  context: Context,
  machineName: string,
  options: TemplateOptions,
): Promise<readonly MachineTemplate[] | undefined> =>
  changedUses(context, options, async () => {
    const {machine} = await context.clients.machines.getMachine({id: machineName});
    return machine?.templates ?? [];
  });

/** The same of anything that has templates: a machine, a group, a rule. */
export async function changedUses(
  {clients}: Context,
  options: TemplateOptions,
  readBefore: () => Promise<readonly MachineTemplate[]>,
): Promise<readonly MachineTemplate[] | undefined> {
  const {template: names, parameter: assignments} = options;
  if (options.templates === false) {
    if (names || assignments)
      throw usage('Cannot take all templates away and name some: give one of the two');
    return [];
  }
  if (!names && !assignments) return undefined;

  const before = await readBefore();
  const uses = names ? names.map(text => parseUse(text, before)) : before;
  for (const text of assignments ?? []) {
    const {name, key, value} = parseAssignment(text);
    const use = uses.find(candidate => candidate.name === name);
    if (!use)
      throw usage(
        `Cannot set "${name}.${key}": template "${name}" is not used here; add --template ${name}`,
      );
    const {template} = await clients.templates.getTemplate({name, version: use.version});
    const parameters: JsonObject = {...use.parameters};
    const declared = template?.parameters.find(parameter => parameter.name === key);
    if (value === undefined) delete parameters[key];
    // One that is not declared is for the server to refuse: it says which there are.
    else parameters[key] = declared ? parseValue(declared, value) : value;
    use.parameters = parameters;
  }
  return uses;
}

function parseUse(text: string, before: readonly MachineTemplate[]): MachineTemplate {
  const {name, version} = parseTemplateName(text);
  const kept = before.find(use => use.name === name);
  return create(MachineTemplateSchema, {name, version, parameters: kept?.parameters ?? {}});
}

/** "NAME" is the newest version, "NAME@3" names one. */
export function parseTemplateName(text: string): {
  readonly name: string;
  readonly version: number;
} {
  const [, name = '', version = '0'] = /^([^@]+)(?:@([1-9]\d{0,8}))?$/.exec(text) ?? [];
  if (name === '') throw usage(`Cannot use template "${text}": say NAME, or NAME@VERSION`);
  return {name, version: Number(version)};
}

function parseAssignment(text: string) {
  const [, name, key, , value] = /^([^.=]+)\.([^.=]+)(=([^]*))?$/.exec(text) ?? [];
  if (!name || !key)
    throw usage(
      `Cannot set parameter "${text}": say TEMPLATE.PARAMETER=VALUE, or TEMPLATE.PARAMETER for its default`,
    );
  return {name, key, value};
}

/** A list is JSON, or its items with commas between them. What does not fit its type is for the server to refuse. */
function parseValue({type}: Template_Parameter, text: string): JsonValue {
  switch (type) {
    case Template_Parameter_Type.INTEGER:
      return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
    case Template_Parameter_Type.BOOLEAN:
      return text === 'true' || text === 'false' ? text === 'true' : text;
    case Template_Parameter_Type.STRING_LIST:
      return parseList(text);
    default:
      return text;
  }
}

function parseList(text: string): JsonValue {
  if (text === '') return [];
  if (!text.startsWith('[')) return text.split(',').map(item => item.trim());
  try {
    return JSON.parse(text) as JsonValue;
  } catch (error) {
    throw usage(`Cannot read the list ${text}: ${error instanceof Error ? error.message : ''}`);
  }
}

const usage = (sentence: string) => new CommandError(sentence, exitStatus.usage);
