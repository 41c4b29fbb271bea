import {macKind, parseMacAddress, parseSerial, parseUuid} from './identifiers.ts';

/** What somebody says about a machine; texts as they came, empty when unknown. */
export type Evidence = {
  readonly uuid: string;
  readonly systemSerial: string;
  readonly boardSerial: string;
  readonly chassisSerial: string;
  readonly macAddresses: readonly string[];
  readonly bmcMacAddress: string;
  readonly tpmEkHash: string;
  readonly diskSerials: readonly string[];
  readonly dimmSerials: readonly string[];
  readonly manufacturer: string;
  readonly product: string;
  readonly bootMacAddress: string;
  readonly firmwareMode: string;
};

export const noEvidence: Evidence = {
  uuid: '',
  systemSerial: '',
  boardSerial: '',
  chassisSerial: '',
  macAddresses: [],
  bmcMacAddress: '',
  tpmEkHash: '',
  diskSerials: [],
  dimmSerials: [],
  manufacturer: '',
  product: '',
  bootMacAddress: '',
  firmwareMode: '',
};

const kinds = {
  tpm_ek: {weight: 60, most: 60, contradiction: 25, countMax: 1},
  uuid: {weight: 40, most: 40, contradiction: 30, countMax: 1},
  system_serial: {weight: 40, most: 40, contradiction: 30, countMax: 1},
  bmc_mac: {weight: 40, most: 40, contradiction: 10, countMax: 1},
  board_serial: {weight: 25, most: 25, contradiction: 10, countMax: 1},
  mac: {weight: 25, most: 50, contradiction: 15, countMax: 64},
  local_mac: {weight: 20, most: 30, contradiction: 15, countMax: 32},
  chassis_serial: {weight: 10, most: 10, contradiction: 0, countMax: 1},
  disk_serial: {weight: 4, most: 12, contradiction: 0, countMax: 32},
  dimm_serial: {weight: 3, most: 9, contradiction: 0, countMax: 32},
} as const satisfies Record<
  string,
  {
    /** For each value in common, up to `most`. */
    readonly weight: number;
    readonly most: number;
    /** When both sides have this kind and no value in common. */
    readonly contradiction: number;
    /** More values than this are not looked at; the smallest count. */
    readonly countMax: number;
  }
>;

export type EvidenceKind = keyof typeof kinds;
export type EvidenceItem = {readonly kind: EvidenceKind; readonly value: string};

/** Less than this is no recognition at all. */
const matchMin = 20;
/** With this much left after contradictions, they are taken for exchanged parts. */
const clearMin = 40;
/** Two machines closer than this cannot be told apart. */
const leadMin = 15;

export type Candidate = {
  readonly machineId: string;
  readonly quarantined: boolean;
  readonly evidence: readonly EvidenceItem[];
};

export type Score = {
  readonly machineId: string;
  readonly score: number;
  readonly reasons: readonly string[];
};

export type Match =
  | {readonly kind: 'none'; readonly scores: readonly Score[]}
  | {readonly kind: 'match'; readonly machineId: string; readonly scores: readonly Score[]}
  /** To be quarantined: `reason` is for an operator. */
  | {readonly kind: 'conflict'; readonly reason: string; readonly scores: readonly Score[]};

/** The usable part of the evidence, each value once, in one order everywhere. */
export function evidenceItems(evidence: Evidence): readonly EvidenceItem[] {
  const found: Record<EvidenceKind, readonly (string | undefined)[]> = {
    tpm_ek: [evidence.tpmEkHash.trim().toLowerCase() || undefined],
    uuid: [parseUuid(evidence.uuid)],
    system_serial: [parseSerial(evidence.systemSerial)],
    bmc_mac: [parseMacAddress(evidence.bmcMacAddress)].filter(mac => mac && macKind(mac)),
    board_serial: [parseSerial(evidence.boardSerial)],
    mac: macsOf(evidence, 'universal'),
    local_mac: macsOf(evidence, 'local'),
    chassis_serial: [parseSerial(evidence.chassisSerial)],
    disk_serial: evidence.diskSerials.map(parseSerial),
    dimm_serial: evidence.dimmSerials.map(parseSerial),
  };
  return Object.entries(found).flatMap(([name, values]) => {
    const kind = name as EvidenceKind;
    return [...new Set(values.filter(value => value !== undefined))]
      .sort()
      .slice(0, kinds[kind].countMax)
      .map(value => ({kind, value}));
  });
}

function macsOf(evidence: Evidence, wanted: 'universal' | 'local'): readonly string[] {
  return [...evidence.macAddresses, evidence.bootMacAddress]
    .map(parseMacAddress)
    .filter(mac => mac !== undefined)
    .filter(mac => macKind(mac) === wanted);
}

/** Which of the candidates this is: scored, never by one key, and with the reasons. */
export function identify(items: readonly EvidenceItem[], candidates: readonly Candidate[]): Match {
  const judged = candidates
    .map(candidate => judge(items, candidate))
    .sort((a, b) => b.score - a.score || compare(a.machineId, b.machineId));
  const scores = judged.map(({machineId, score, reasons}) => ({machineId, score, reasons}));
  const [best] = judged;
  if (!best || best.support < matchMin || best.score <= 0) return {kind: 'none', scores};

  const equals = judged.filter(
    ({score, support}) => support >= matchMin && best.score - score < leadMin,
  );
  // A doubtful machine takes nothing away from one in good standing, whatever it claims to be.
  const sound = equals.filter(({quarantined}) => !quarantined);
  const doubted = equals.find(({quarantined}) => quarantined);
  if (sound.length > 1) {
    // Whoever could not be told apart before is the same doubtful machine again, not one more.
    if (doubted) return {kind: 'match', machineId: doubted.machineId, scores};
    const names = sound.map(({machineId}) => `"${machineId}"`).join(' and ');
    return {kind: 'conflict', reason: `It may be any of the machines ${names}`, scores};
  }
  const found = sound[0] ?? best;
  if (found.contradicted && found.score < clearMin && !found.quarantined)
    return {
      kind: 'conflict',
      reason: `It may be machine "${found.machineId}", but not all agrees: ${found.reasons.join(', ')}`,
      scores,
    };
  if (found.score < matchMin) return {kind: 'none', scores};
  return {kind: 'match', machineId: found.machineId, scores};
}

function judge(items: readonly EvidenceItem[], {machineId, quarantined, evidence}: Candidate) {
  const reasons: string[] = [];
  let support = 0;
  let against = 0;
  for (const [name, {weight, most, contradiction}] of Object.entries(kinds)) {
    const here = items.filter(({kind}) => kind === name).map(({value}) => value);
    const there = new Set(evidence.filter(({kind}) => kind === name).map(({value}) => value));
    const common = here.filter(value => there.has(value)).length;
    if (common > 0) {
      const points = Math.min(common * weight, most);
      support += points;
      reasons.push(`same ${words(name)} (+${points})`);
    } else if (contradiction > 0 && here.length > 0 && there.size > 0) {
      against += contradiction;
      reasons.push(`other ${words(name)} (-${contradiction})`);
    }
  }
  return {
    machineId,
    quarantined,
    support,
    score: support - against,
    contradicted: against > 0,
    reasons,
  };
}

const words = (kind: string): string => kind.replaceAll('_', ' ');

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
