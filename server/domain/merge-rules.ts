import {noEntry, noOverride} from '../store/boot-overrides.ts';
import type {Machine, MachineChange, MachineState} from '../store/machines.ts';
import {mergeable} from './lifecycle.ts';

const macAddressesMax = 256;
const labelsMax = 64;
const notesCharactersMax = 16_384;

/** What the decision looks at, beside the machines. */
export type MergeFacts = {
  /** Agents of both were heard a moment ago. */
  readonly bothOnline: boolean;
  /** The id of a build of the one that goes, if one runs. */
  readonly liveBuildId: string | undefined;
};

/** Why these two records cannot become one, after "Cannot merge …: "; undefined when they can. */
export function mergeProblem(
  kept: Machine,
  absorbed: Machine,
  {bothOnline, liveBuildId}: MergeFacts,
): string | undefined {
  if (kept.id === absorbed.id) return 'they are one record already';
  if (absorbed.mergedInto) return `"${absorbed.id}" is part of "${absorbed.mergedInto}" already`;
  if (absorbed.workspaceId && absorbed.workspaceId !== kept.workspaceId)
    return `"${absorbed.id}" is assigned to another workspace, whose history would be shown to others; release it first`;
  if (bothOnline)
    return 'agents of both are online, so these are two boxes; turn one off if they are not';
  if (!mergeable.has(absorbed.state))
    return `"${absorbed.id}" is ${absorbed.state}, and what runs on it would be lost; keep that one and merge the other into it`;
  if (kept.state === 'retiring') return `"${kept.id}" is being retired; wait until that is done`;
  if (liveBuildId !== undefined)
    return `build "${liveBuildId}" of "${absorbed.id}" is running; wait for it or cancel it`;
  return undefined;
}

const trusts = ['seen', 'token', 'approved'] as const;

/** What the record that stays has afterwards: its own word first, then the other's. */
export function mergedFields(kept: Machine, absorbed: Machine): MachineChange {
  const newerBoot = (absorbed.bootTime?.getTime() ?? 0) > (kept.bootTime?.getTime() ?? 0);
  const [first, second] = newerBoot ? [absorbed, kept] : [kept, absorbed];
  const labels = Object.entries({...absorbed.labels, ...kept.labels}).slice(0, labelsMax);
  const notes = [kept.notes, absorbed.notes].filter(Boolean);
  return {
    serviceTag: kept.serviceTag || absorbed.serviceTag,
    uuid: kept.uuid || absorbed.uuid,
    manufacturer: kept.manufacturer || absorbed.manufacturer,
    product: kept.product || absorbed.product,
    macAddress: first.macAddress || second.macAddress,
    macAddresses: [...new Set([...kept.macAddresses, ...absorbed.macAddresses])].slice(
      0,
      macAddressesMax,
    ),
    hostname: kept.hostname || absorbed.hostname,
    description: kept.description || absorbed.description,
    notes: [...new Set(notes)].join('\n').slice(0, notesCharactersMax),
    labels: Object.fromEntries(labels),
    nixosConfig: kept.nixosConfig || absorbed.nixosConfig,
    templates: kept.templates.length > 0 ? kept.templates : absorbed.templates,
    imageConfig: kept.imageConfig ?? absorbed.imageConfig,
    desiredImageId: kept.desiredImageId ?? absorbed.desiredImageId,
    lastGoodImageId: kept.lastGoodImageId ?? absorbed.lastGoodImageId,
    bootedImageId: first.bootedImageId ?? second.bootedImageId,
    bootId: first.bootId || second.bootId,
    bootTime: first.bootTime ?? second.bootTime,
    inRegistration: first.inRegistration,
    agentVersion: first.agentVersion || second.agentVersion,
    expected: kept.expected || absorbed.expected,
    trust: trusts[Math.max(trusts.indexOf(kept.trust), trusts.indexOf(absorbed.trust))] ?? 'seen',
    banReason: kept.banReason || absorbed.banReason,
    // Whoever merges them says which box this is.
    quarantineReason: '',
  };
}

/** A record that was never more than seen goes on where the other one was. */
export function mergedState(kept: MachineState, absorbed: MachineState): MachineState {
  const unknown = kept === 'expected' || kept === 'discovered';
  return unknown && (absorbed === 'pending' || absorbed === 'enrolled') ? absorbed : kept;
}

/** What is left of the record that went: nothing that a box could be recognised by. */
export const emptied: MachineChange = {
  serviceTag: '',
  uuid: '',
  macAddress: '',
  macAddresses: [],
  labels: {},
  templates: [],
  nixosConfig: '',
  imageConfig: undefined,
  desiredImageId: undefined,
  lastGoodImageId: undefined,
  bootedImageId: undefined,
  ...noOverride,
  ...noEntry,
  quarantineReason: '',
  banReason: '',
  expected: false,
};
