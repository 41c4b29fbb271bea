import {createHash} from 'node:crypto';
import type {HardwareSummary, Labels} from '../store/machines.ts';
import {parseMacAddress, printable} from './identifiers.ts';
import {type Evidence, noEvidence} from './identity.ts';

const hostnamePattern =
  /^(?=.{1,253}$)[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/;
const labelKeyPattern = /^[a-zA-Z0-9]([a-zA-Z0-9_./-]{0,61}[a-zA-Z0-9])?$/;
const usernamePattern = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const descriptionCharactersMax = 4096;
const nixosConfigCharactersMax = 1_048_576;
const labelCharactersMax = 256;
const nameCharactersMax = 63;
const tagsMax = 32;
const tagCharactersMax = 64;
const emailCharactersMax = 254;
const shownCharactersMax = 64;

/** A machine as it stands in the other system: any text may be junk. */
export type ForeignMachine = {
  readonly originId: string;
  readonly serviceTag: string;
  readonly macAddresses: readonly string[];
  readonly hostname: string;
  readonly description: string;
  readonly nixosConfig: string;
  readonly labels: Labels;
  readonly manufacturer: string;
  readonly product: string;
  readonly diskSerials: readonly string[];
  readonly hardware: Partial<HardwareSummary>;
  readonly createTime: Date | undefined;
};

/** What an operator decides about it. */
export type TakenFields = {
  readonly hostname: string;
  readonly description: string;
  readonly nixosConfig: string;
  readonly labels: Labels;
};

export type ReadMachine = {
  readonly evidence: Evidence;
  readonly fields: TakenFields;
  /** What could not be taken, for people. */
  readonly losses: readonly string[];
};

/** What Muster can keep of it, and what not. */
export function readMachine(machine: ForeignMachine): ReadMachine {
  const losses: string[] = [];
  const lose = (loss: string): string => {
    losses.push(loss);
    return '';
  };
  const {serviceTag, hostname, description, nixosConfig} = machine;
  const macAddresses = [...new Set(machine.macAddresses.filter(text => text.trim() !== ''))];
  for (const text of macAddresses)
    if (!parseMacAddress(text)) lose(`MAC address ${quoted(text)} is none`);
  const evidence = {
    ...noEvidence,
    systemSerial: printable(serviceTag, 128),
    macAddresses,
    bootMacAddress: macAddresses[0] ?? '',
    diskSerials: machine.diskSerials,
    manufacturer: printable(machine.manufacturer, 256),
    product: printable(machine.product, 256),
  };
  const fields = {
    hostname:
      hostname.trim() === '' || hostnamePattern.test(hostname.trim())
        ? hostname.trim()
        : lose(`host name ${quoted(hostname)} is none`),
    description: readText(description, 'description', descriptionCharactersMax, lose),
    nixosConfig: readText(nixosConfig, 'NixOS configuration', nixosConfigCharactersMax, lose),
    labels: readLabels(machine.labels, lose),
  };
  return {evidence, fields, losses};
}

function readText(
  text: string,
  what: string,
  charactersMax: number,
  lose: (loss: string) => string,
): string {
  if (text.includes('\0') || !text.isWellFormed()) return lose(`its ${what} is no text`);
  // As the contract counts: code points.
  const {length} = Array.from(text);
  return length <= charactersMax
    ? text
    : lose(`its ${what} has ${length} characters, at most ${charactersMax} fit`);
}

function readLabels(labels: Labels, lose: (loss: string) => string): Labels {
  const kept = Object.entries(labels).flatMap(([key, value]) => {
    const clean = printable(value, labelCharactersMax);
    if (labelKeyPattern.test(key) && clean === value) return [[key, value]];
    lose(`label ${quoted(key)} is none`);
    return [];
  });
  return Object.fromEntries(kept) as Labels;
}

export type Name = {readonly name: string; readonly remark: string} | {readonly problem: string};

/** A group's name in the letters that names have here. */
export function readGroupName(text: string): Name {
  const name = text
    .replaceAll(/[^a-zA-Z0-9_. -]+/g, '-')
    .slice(0, nameCharactersMax)
    .replaceAll(/^[^a-zA-Z0-9]+|[^a-zA-Z0-9]+$/g, '');
  if (name === '') return {problem: `A group cannot be called ${quoted(text)}`};
  return {name, remark: name === text ? '' : `Its name was ${quoted(text)}`};
}

/** Lower case; a name with other letters could be read as somebody else's and is refused. */
export function readUsername(text: string): Name {
  const name = text.trim().toLowerCase();
  if (!usernamePattern.test(name))
    return {
      problem: `A user cannot be called ${quoted(text)}: names are lower case letters, digits, ".", "_" and "-"`,
    };
  return {name, remark: name === text ? '' : `Its name was ${quoted(text)}`};
}

export function readDescription(text: string): {text: string; losses: readonly string[]} {
  const losses: string[] = [];
  const lose = (loss: string) => {
    losses.push(loss);
    return '';
  };
  return {text: readText(text, 'description', descriptionCharactersMax, lose), losses};
}

export function readTags(tags: readonly string[]): {
  tags: readonly string[];
  losses: readonly string[];
} {
  const fits = (tag: string) => tag !== '' && tag === printable(tag, tagCharactersMax);
  const kept = tags.filter(fits).slice(0, tagsMax);
  const lost = tags.filter(tag => !kept.includes(tag));
  return {tags: kept, losses: lost.map(tag => `tag ${quoted(tag)} does not fit`)};
}

export function readEmail(text: string): {email: string; losses: readonly string[]} {
  const email = text.trim();
  const fits = email === printable(email, emailCharactersMax);
  return fits ? {email, losses: []} : {email: '', losses: [`mail address ${quoted(text)} is none`]};
}

export type Merge = {
  /** Names of `flat` values to be set. */
  readonly take: readonly string[];
  /** Changed on both sides: what is here stays. */
  readonly kept: readonly string[];
  readonly taken: Readonly<Record<string, string>>;
};

/**
 * By what was taken the last time: a value that nobody changed here since follows the source; one that somebody did change stays. An empty
 * value there takes nothing away.
 */
export function merge(
  here: Readonly<Record<string, string>>,
  there: Readonly<Record<string, string>>,
  before: Readonly<Record<string, string>>,
): Merge {
  const take: string[] = [];
  const kept: string[] = [];
  const taken: Record<string, string> = {...before};
  for (const [name, value] of Object.entries(there)) {
    const last = before[name];
    const digest = digestOf(value);
    if (value === '' || last === digest) continue;
    const now = here[name] ?? '';
    taken[name] = digest;
    if (now === value) continue;
    const untouched = last === undefined ? now === '' : digestOf(now) === last;
    if (untouched) take.push(name);
    else kept.push(name);
  }
  return {take, kept, taken};
}

export const digestOf = (value: string): string =>
  createHash('sha256').update(value).digest('base64url').slice(0, 22);

export const quoted = (text: string): string => JSON.stringify(printable(text, shownCharactersMax));
