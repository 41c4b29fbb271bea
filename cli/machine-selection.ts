import {create} from '@bufbuild/protobuf';
import {
  type Machine,
  MachineSchema,
  MachineTemplateSchema,
} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import type {Command} from 'commander';
import {CommandError, exitStatus} from './exit-status.ts';
import {readImageConfig, readText} from './image-config.ts';
import {parseTemplateName} from './template-options.ts';

export type SelectionOptions = {
  readonly ids?: readonly string[];
  readonly group?: string;
  readonly filter?: string;
};

/** Which machines: exactly one of the three. */
export function addSelectionOptions(command: Command): Command {
  return command
    .option('--ids <machine...>', 'these machines, each by id, serial number or MAC')
    .option('--group <group>', 'the machines of this group')
    .option('--filter <filter>', 'the machines that meet it now (docs/search.md)');
}

export function selectionOf({ids, group, filter}: SelectionOptions) {
  if ([ids, group, filter].filter(given => given !== undefined).length !== 1)
    throw usage(
      'Cannot tell which machines are meant: give exactly one of --ids, --group, --filter',
    );
  return {machineIds: [...(ids ?? [])], groupId: group ?? '', filter: filter ?? ''};
}

export type ChangeOptions = {
  readonly description?: string;
  readonly notes?: string;
  readonly imageConfig?: string;
  readonly nixosConfig?: string;
  readonly template?: readonly string[];
  /** False with `--no-templates`. */
  readonly templates?: boolean;
};

/** What becomes of every machine alike. */
export function addChangeOptions(command: Command): Command {
  return command
    .option('--description <text>', 'free text')
    .option('--notes <text>', 'free text, for searching, too')
    .option('--image-config <file>', 'JSON of the whole system; - reads standard input')
    .option('--nixos-config <file>', 'the NixOS module; - reads standard input')
    .option('--template <name...>', 'templates, as NAME or NAME@VERSION, in place of those before')
    .option('--no-templates', 'no templates any more');
}

/** The fields that the options name, and their names. */
export function changeOf(options: ChangeOptions): {
  readonly data: Machine;
  readonly updateMask: {readonly paths: string[]};
} {
  const {description, notes, imageConfig, nixosConfig, template} = options;
  const fields = {
    ...(description !== undefined && {description}),
    ...(notes !== undefined && {notes}),
    ...(imageConfig !== undefined && {imageConfig: readImageConfig(imageConfig)}),
    ...(nixosConfig !== undefined && {nixosConfig: readText(nixosConfig)}),
    ...(options.templates === false && {templates: []}),
    ...(template && {
      templates: template.map(text => create(MachineTemplateSchema, parseTemplateName(text))),
    }),
  };
  const paths = Object.keys(fields).map(key =>
    key.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`),
  );
  return {data: create(MachineSchema, fields), updateMask: {paths}};
}

/** For commander: a whole number from `least` to `most`. */
export const parseCount =
  (option: string, least: number, most: number) =>
  (text: string): number => {
    const count = Number(text);
    if (!/^\d{1,9}$/.test(text) || count < least || count > most)
      throw usage(`Cannot use ${option} "${text}": say a number from ${least} to ${most}`);
    return count;
  };

export const usage = (sentence: string) => new CommandError(sentence, exitStatus.usage);
