import type {BootProfile, Group} from '../store/groups.ts';
import type {MachineRules} from '../store/machine-rules.ts';
import type {ImageConfig, Machine} from '../store/machines.ts';
import type {MachineTemplate, TemplateModule} from '../store/templates.ts';
import {bootFields, bootValues, byPriority, contractName} from './rule-verdict.ts';

/** What a machine has from others: groups in their order, then rules. */
export type Inherited = {
  readonly groups: readonly (Pick<Group, 'name' | 'priority' | 'templates' | 'bootProfile'> &
    Partial<Pick<Group, 'imageGate'>>)[];
  readonly rules: Pick<MachineRules, 'templates' | 'bootProfile'> | undefined;
};

export const nothingInherited: Inherited = {groups: [], rules: undefined};

/** One value in words, and where it comes from: "machine", "group NAME" or "rule NAME". */
export type OriginatedValue = {
  readonly field: string;
  readonly value: string;
  readonly origin: string;
};

export type EffectiveConfiguration = {
  readonly templates: readonly MachineTemplate[];
  readonly imageConfig: ImageConfig | undefined;
  /** Of nobody's image_config: for a NixOS system, as a module of its own. */
  readonly bootArguments: readonly string[];
  readonly values: readonly OriginatedValue[];
};

type Configured = Pick<Machine, 'templates' | 'imageConfig' | 'nixosConfig'>;
type BootField = keyof BootProfile;
type Found = {readonly value: string | readonly string[]; readonly origin: string};

const noImageConfig: ImageConfig = {
  hostName: '',
  packages: [],
  sshAuthorizedKeys: [],
  files: [],
  kernelArguments: [],
};

/**
 * For each value: what the machine says itself, else its first group that says it (the highest priority, then the name), else the rule. Lists are
 * not added up: whoever says a list says all of it.
 */
export function effectiveConfiguration(
  machine: Configured,
  {groups, rules}: Inherited,
): EffectiveConfiguration {
  const ordered = groups.toSorted(byPriority);
  const templates = templatesOf(machine, ordered, rules);
  const boot = new Map<BootField, Found>();
  const offer = (field: BootField, value: string | readonly string[], origin: string) => {
    if (value.length > 0 && !boot.has(field)) boot.set(field, {value, origin});
  };
  const own = machine.imageConfig;
  for (const field of ['kernelArguments', 'packages', 'sshAuthorizedKeys'] as const)
    offer(field, own?.[field] ?? [], 'machine');
  for (const {name, bootProfile} of ordered)
    for (const {field, value} of bootValues(bootProfile)) offer(field, value, `group ${name}`);
  for (const {rule, field, value} of rules?.bootProfile ?? [])
    if (isBootField(field)) offer(field, value, `rule ${rule}`);

  const bootArguments = inheritedArguments(boot);
  return {
    templates: templates.value,
    imageConfig: imageConfigOf(own, boot),
    bootArguments,
    values: [
      ...(templates.value.length > 0 ? [describeTemplates(templates)] : []),
      ...(machine.nixosConfig ? [ofMachine('nixos_config', lines(machine.nixosConfig))] : []),
      ...(own?.hostName ? [ofMachine('host_name', own.hostName)] : []),
      ...(own && own.files.length > 0
        ? [ofMachine('files', own.files.map(({path}) => path).join(' '))]
        : []),
      ...bootFields.flatMap(field => {
        const found = boot.get(field);
        return found
          ? [{field: contractName(field), value: words(found.value), origin: found.origin}]
          : [];
      }),
      // Of all groups: what each requires of an image adds up.
      ...ordered.flatMap(({name, imageGate = []}) =>
        imageGate.length > 0
          ? [{field: 'image_gate', value: words(imageGate), origin: `group ${name}`}]
          : [],
      ),
    ],
  };
}

function templatesOf(
  machine: Configured,
  groups: Inherited['groups'],
  rules: Inherited['rules'],
): {readonly value: readonly MachineTemplate[]; readonly origin: string} {
  if (machine.templates.length > 0) return {value: machine.templates, origin: 'machine'};
  if (isDebian(machine)) return {value: [], origin: 'machine'};
  const group = groups.find(({templates}) => templates.length > 0);
  if (group) return {value: group.templates, origin: `group ${group.name}`};
  const [first] = rules?.templates ?? [];
  return {value: first?.templates ?? [], origin: `rule ${first?.rule ?? ''}`};
}

/** Templates of others would make another system of one that the machine describes itself. */
function isDebian({imageConfig, nixosConfig}: Configured): boolean {
  if (!imageConfig || nixosConfig !== '') return false;
  const {packages, files, kernelArguments} = imageConfig;
  return [packages, files, kernelArguments].some(list => list.length > 0);
}

/** Undefined when the machine has none and inherits neither packages nor keys: arguments alone are no system. */
function imageConfigOf(
  own: ImageConfig | undefined,
  boot: ReadonlyMap<BootField, Found>,
): ImageConfig | undefined {
  if (!own && !boot.has('packages') && !boot.has('sshAuthorizedKeys')) return undefined;
  const list = (field: BootField) => {
    const value = boot.get(field)?.value ?? [];
    return typeof value === 'string' ? [value] : value;
  };
  return {
    ...(own ?? noImageConfig),
    packages: list('packages'),
    sshAuthorizedKeys: list('sshAuthorizedKeys'),
    kernelArguments: [...list('kernelArguments'), ...consoles(boot)],
  };
}

/** The last console is the one that /dev/console is. */
const consoles = (boot: ReadonlyMap<BootField, Found>): readonly string[] => {
  const port = boot.get('serialConsole')?.value;
  return typeof port === 'string' ? ['console=tty0', `console=${port}`] : [];
};

function inheritedArguments(boot: ReadonlyMap<BootField, Found>): readonly string[] {
  const found = boot.get('kernelArguments');
  const list = found && found.origin !== 'machine' ? found.value : [];
  return [...(typeof list === 'string' ? [list] : list), ...consoles(boot)];
}

/** No template of an operator has this name: those are given with a machine, this one is made for it. */
export const bootProfileModuleName = 'inherited-boot-profile';

/** What a NixOS system boots with, as the module that says so. */
export function bootProfileModule(bootArguments: readonly string[]): readonly TemplateModule[] {
  if (bootArguments.length === 0) return [];
  return [
    {
      name: bootProfileModuleName,
      version: 1,
      nixosModule: '{kernelArguments, ...}: {...}: {\n  boot.kernelParams = kernelArguments;\n}\n',
      parameters: {kernelArguments: [...bootArguments]},
    },
  ];
}

const isBootField = (field: string): field is BootField =>
  (bootFields as readonly string[]).includes(field);

const words = (value: string | readonly string[]): string =>
  typeof value === 'string' ? value : value.join(' ');

const ofMachine = (field: string, value: string): OriginatedValue => ({
  field,
  value,
  origin: 'machine',
});

const lines = (text: string): string => `${text.trimEnd().split('\n').length} lines`;

const describeTemplates = ({
  value,
  origin,
}: {
  readonly value: readonly MachineTemplate[];
  readonly origin: string;
}): OriginatedValue => ({
  field: 'templates',
  value: value.map(({name, version}) => (version > 0 ? `${name}@${version}` : name)).join(' '),
  origin,
});
