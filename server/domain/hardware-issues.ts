import type {PartChange} from './hardware-diff.ts';
import {
  identityOf,
  type ObservedPart,
  type Part,
  type PartKind,
  placeOf,
} from './hardware-parts.ts';
import {namePart, nameSlot} from './hardware-words.ts';
import {isBad} from './issue-rule.ts';
import {defaultSettings, type RuleSettings} from './issue-rules.ts';
import type {Finding, Judgement, OpenIssue, Severity} from './issues.ts';

/** What of each kind is missed. Kinds that are not here come and go without anybody being told. */
const losses: Partial<Readonly<Record<PartKind, Severity>>> = {
  cpu: 'critical',
  dimm: 'critical',
  disk: 'critical',
  nic: 'warning',
  gpu: 'critical',
};
const swaps: ReadonlySet<PartKind> = new Set(['baseboard', 'cpu', 'dimm', 'disk', 'nic', 'gpu']);

/** PCI class codes (PCI Code and ID Assignment): the first two digits are the base class. */
const storageClass = /^01/;
const bridgeClass = /^06/;
/** Displays and accelerators slow their link down while they are idle. */
const idlingClass = /^(03|12)/;

/**
 * What these parts, and what became different about them, mean for a machine's issues. `changes` are against the version before, `parts` as
 * they are now. What the report does not tell leaves an issue as it is.
 */
export function judgeHardware({
  changes,
  parts,
  open,
  settings = defaultSettings,
}: {
  readonly changes: readonly PartChange[];
  readonly parts: readonly ObservedPart[];
  readonly open: readonly OpenIssue[];
  /** What operators set of the rules. */
  readonly settings?: RuleSettings;
}): Judgement {
  const failing = new Set(
    open.filter(({kind}) => kind === 'disk_failing').map(({component}) => component),
  );
  const wearOf = (part: ObservedPart) => wornBy(part, settings, failing.has(componentKey(part)));
  const disks = parts.filter(({kind}) => kind === 'disk');
  const raise = [
    ...changes.flatMap(findChange),
    ...parts.flatMap(part => findSlowLink(part) ?? []),
    ...disks.flatMap(part => findFailure(part) ?? findWear(part, wearOf(part)) ?? []),
  ];
  if (open.length === 0) return {raise, clear: []};
  const index = {...indexParts(parts), wearOf};
  const clear = open.flatMap(issue => {
    const reason = whyOver(issue, index, changes);
    return reason ? [{id: issue.id, reason}] : [];
  });
  return {raise, clear};
}

export const componentKey = ({kind, serial, slot, model}: Part): string =>
  `${kind} ${serial || slot || model}`.trim();

function findChange(change: PartChange): readonly Finding[] {
  if (change.type === 'removed') return findLoss(change.before);
  if (change.type !== 'replaced' || !swaps.has(change.before.kind)) return [];
  const {before, after} = change;
  return [
    {
      kind: 'component_swapped',
      component: componentKey(before),
      severity: 'warning',
      summary: `${namePart(before)}${nameSlot(before)} was replaced by ${namePart(after)}`,
      nextStep:
        'Acknowledge it when somebody exchanged the part on purpose; else find out who opened the machine',
      evidence: {before: describe(before), after: describe(after)},
    },
  ];
}

function findLoss(part: Part): readonly Finding[] {
  const isController = part.kind === 'pci' && storageClass.test(part.attributes.class_id ?? '');
  const severity = isController ? 'critical' : losses[part.kind];
  if (!severity) return [];
  return [
    {
      kind: 'component_lost',
      component: componentKey(part),
      severity,
      summary: `${namePart(part)}${nameSlot(part)} is gone`,
      nextStep: `Reseat or replace it; it may also be that the image that runs lacks its driver. Clear the issue when it was taken out for good`,
      evidence: {before: describe(part)},
    },
  ];
}

function findSlowLink(part: ObservedPart): Finding | undefined {
  if (!part.state) return undefined;
  const slow = slowLinks(part).filter(({now, best}) => now < best);
  if (slow.length === 0) return undefined;
  const words = slow.map(({what, now, best}) => `${what} ${now} of ${best}`).join(', ');
  return {
    kind: 'link_degraded',
    component: componentKey(part),
    severity: 'warning',
    summary: `${namePart(part)}${nameSlot(part)} has a degraded link: ${words}`,
    nextStep:
      part.kind === 'nic'
        ? 'Check cable, transceiver and the switch port’s speed'
        : 'Reseat the card, look at the riser, and check the slot’s settings in the firmware',
    evidence: {part: describe(part), ...part.state},
  };
}

type Link = {readonly what: string; readonly now: number; readonly best: number};

/** Only where both values are known: a link that is down is not slow. */
function slowLinks({kind, attributes, state = {}}: ObservedPart): readonly Link[] {
  const link = (what: string, now: string, best: string): Link => ({
    what,
    now: Number(state[now] ?? 0),
    best: Number(state[best] ?? 0),
  });
  const classId = attributes.class_id ?? '';
  const links =
    kind === 'nic'
      ? [link('Mbit/s', 'speed_mbps', 'speed_mbps_max')]
      : kind === 'pci' && !bridgeClass.test(classId)
        ? [
            ...(idlingClass.test(classId)
              ? []
              : [link('PCIe speed (GT/s)', 'link_speed_gts', 'link_speed_gts_max')]),
            link('PCIe lanes', 'link_width', 'link_width_max'),
          ]
        : [];
  return links.filter(({now, best}) => now > 0 && best > 0);
}

function findFailure(part: ObservedPart): Finding | undefined {
  if (part.state?.verdict !== 'failed') return undefined;
  const {reason} = part.state;
  return {
    kind: 'disk_failing',
    component: componentKey(part),
    severity: 'critical',
    summary: `${namePart(part)}${nameSlot(part)} expects to fail${reason ? `: ${reason}` : ''}`,
    nextStep: 'Copy what is only on this disk, and replace it',
    evidence: {part: describe(part), ...part.state},
  };
}

/** What of a disk that still passes has reached its limit, in words. */
function wornBy({state = {}}: ObservedPart, settings: RuleSettings, isOpen: boolean) {
  const {bad_sectors: sectorLimits, wear: wearLimits} = settings('disk_failing')?.thresholds ?? {};
  const count = (name: string) => Number(state[name] ?? 0);
  const sectors = count('reallocated_sectors') + count('pending_sectors') + count('media_errors');
  const wear = count('percentage_used');
  return [
    ...(sectorLimits && isBad(sectorLimits, sectors, isOpen) ? [`${sectors} bad sectors`] : []),
    ...(wearLimits && isBad(wearLimits, wear, isOpen) ? [`${wear} % of its endurance used`] : []),
  ];
}

function findWear(part: ObservedPart, worn: readonly string[]): Finding | undefined {
  if (worn.length === 0) return undefined;
  return {
    kind: 'disk_failing',
    component: componentKey(part),
    severity: 'warning',
    summary: `${namePart(part)}${nameSlot(part)} wears out: ${worn.join(', ')}`,
    nextStep: 'Order a disk to replace it with, and copy what is only on this one',
    evidence: {part: describe(part), ...part.state},
  };
}

type Index = {
  readonly wearOf: (part: ObservedPart) => readonly string[];
  readonly identities: ReadonlySet<string>;
  readonly components: ReadonlyMap<string, ObservedPart>;
};

function indexParts(parts: readonly ObservedPart[]): Omit<Index, 'wearOf'> {
  return {
    identities: new Set(parts.filter(({serial}) => serial).map(identityOf)),
    components: new Map(parts.map(part => [componentKey(part), part])),
  };
}

/** Undefined while the issue goes on. */
function whyOver(
  {kind, component, evidence}: OpenIssue,
  {identities, components, wearOf}: Index,
  changes: readonly PartChange[],
): string | undefined {
  const part = components.get(component);
  switch (kind) {
    case 'component_lost':
      return isBack(evidence, identities) ? 'It is back' : whyFilled(evidence, changes);
    case 'component_swapped':
      return isBack(evidence, identities) ? 'The part from before is back' : undefined;
    case 'link_degraded': {
      if (!part) return 'It is no longer in the machine';
      const links = slowLinks(part);
      return links.length > 0 && links.every(({now, best}) => now >= best)
        ? 'The link is at its best again'
        : undefined;
    }
    case 'disk_failing':
      if (!part) return 'The disk is no longer in the machine';
      return part.state?.verdict === 'passed' && wearOf(part).length === 0
        ? 'The disk passes again'
        : undefined;
    default:
      return undefined;
  }
}

function isBack(evidence: Readonly<Record<string, unknown>>, identities: Index['identities']) {
  const before = evidence.before as Part | undefined;
  return before !== undefined && before.serial !== '' && identities.has(identityOf(before));
}

/** Another part came into the slot since. */
function whyFilled(
  evidence: Readonly<Record<string, unknown>>,
  changes: readonly PartChange[],
): string | undefined {
  const before = evidence.before as Part | undefined;
  const arrivals = changes.flatMap(change =>
    change.type === 'added' || change.type === 'moved' ? [change.after] : [],
  );
  const filler = before && arrivals.find(part => placeOf(part) === placeOf(before));
  return filler && `${namePart(filler)} is in its slot`;
}

const describe = ({kind, slot, serial, model}: Part) => ({kind, slot, serial, model});
