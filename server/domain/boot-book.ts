import type {BootRow} from '../store/boot-answers.ts';
import {type AcceptancePolicy, isStranger} from './acceptance.ts';
import {type BootDecision, type BootSubject, decideStandingBoot} from './boot-decision.ts';
import type {RegistrationImages} from './boot-images.ts';
import {macKind, parseMacAddress, parseSerial, parseUuid} from './identifiers.ts';

/** The answer for one machine, under all the keys that name it alone. */
export type BootAnswer = {
  readonly machineId: string;
  readonly macAddresses: readonly string[];
  /** Empty when junk or shared. */
  readonly uuid: string;
  readonly serial: string;
  readonly decision: BootDecision;
  /** A one-shot override exists; it is in no answer. */
  readonly ask: boolean;
};

type Entry = {readonly row: BootRow; readonly keys: readonly string[]; readonly rank: number};

export type BootBook = ReturnType<typeof createBootBook>;

/** Every machine's standing answer, in memory. Pure but for its own maps: no clock, no I/O. */
export function createBootBook(policy: AcceptancePolicy) {
  const entries = new Map<string, Entry>();
  const owners = new Map<string, Set<string>>();
  const answers = new Map<string, {readonly answer: BootAnswer; readonly text: string}>();
  let registration: RegistrationImages = {full: undefined, virtual: undefined};

  /** A machine that is doubted takes no key away from one in good standing. */
  function owns(entry: Entry, key: string): boolean {
    for (const id of owners.get(key) ?? []) {
      const other = entries.get(id);
      if (other && other !== entry && other.rank >= entry.rank) return false;
    }
    return true;
  }

  function place(row: BootRow, touched: Set<string>) {
    const old = entries.get(row.id);
    const entry = {row, keys: keysOf(row), rank: rankOf(row)};
    const keys = new Set([...(old?.keys ?? []), ...entry.keys]);
    for (const key of keys) for (const id of owners.get(key) ?? []) touched.add(id);
    for (const key of old?.keys ?? []) {
      const ids = owners.get(key);
      ids?.delete(row.id);
      if (ids?.size === 0) owners.delete(key);
    }
    for (const key of entry.keys) {
      const ids = owners.get(key) ?? new Set();
      owners.set(key, ids.add(row.id));
    }
    entries.set(row.id, entry);
    touched.add(row.id);
  }

  function remove(id: string, touched: Set<string>) {
    for (const key of entries.get(id)?.keys ?? []) {
      const ids = owners.get(key);
      ids?.delete(id);
      for (const other of ids ?? []) touched.add(other);
      if (ids?.size === 0) owners.delete(key);
    }
    entries.delete(id);
    answers.delete(id);
  }

  function answerOf(entry: Entry): BootAnswer {
    const {row} = entry;
    const named = (prefix: string) =>
      entry.keys
        .filter(key => key.startsWith(prefix) && owns(entry, key))
        .map(key => key.slice(prefix.length));
    return {
      machineId: row.id,
      macAddresses: named('mac '),
      uuid: named('uuid ')[0] ?? '',
      serial: named('serial ')[0] ?? '',
      decision: decideStandingBoot(subjectOf(row, policy, undefined), registration).decision,
      ask: row.overrideAction !== undefined,
    };
  }

  return {
    get size() {
      return answers.size;
    },

    /** The answers that are different now. Machines that are gone have none. */
    apply(
      rows: readonly BootRow[],
      images: RegistrationImages,
      goneMachineIds: readonly string[] = [],
    ): readonly BootAnswer[] {
      const touched = new Set<string>();
      for (const row of rows) place(row, touched);
      for (const id of goneMachineIds) remove(id, touched);
      const all = images.full !== registration.full || images.virtual !== registration.virtual;
      registration = images;

      const changed: BootAnswer[] = [];
      for (const id of all ? entries.keys() : touched) {
        const entry = entries.get(id);
        if (!entry) continue;
        const answer = answerOf(entry);
        const text = JSON.stringify(answer);
        if (answers.get(id)?.text === text) continue;
        answers.set(id, {answer, text});
        changed.push(answer);
      }
      return changed;
    },

    answer: (machineId: string) => answers.get(machineId)?.answer,
    *answers(): Iterable<BootAnswer> {
      for (const {answer} of answers.values()) yield answer;
    },

    /** Of all answers, each once. */
    imageIds(): ReadonlySet<string> {
      const ids = new Set<string>();
      for (const {answer} of answers.values())
        if (answer.decision.imageId) ids.add(answer.decision.imageId);
      return ids;
    },
  };
}

/** `now` undefined: without the one-shot override. */
export function subjectOf(
  row: Omit<BootRow, 'bootXid'>,
  policy: AcceptancePolicy,
  now: Date | undefined,
): BootSubject {
  const {overrideAction, overrideExpireTime, entryAction} = row;
  const counts = now && overrideExpireTime && overrideExpireTime > now;
  return {
    ...row,
    stranger: isStranger(policy, row),
    override:
      overrideAction && counts ? {action: overrideAction, imageId: row.overrideImageId} : undefined,
    entry: entryAction ? {action: entryAction, imageId: row.entryImageId} : undefined,
  };
}

function keysOf(row: BootRow): readonly string[] {
  const macs = row.macAddresses
    .map(parseMacAddress)
    .filter(mac => mac !== undefined)
    .filter(mac => macKind(mac) === 'universal' || macKind(mac) === 'local');
  const uuid = parseUuid(row.uuid);
  const serial = parseSerial(row.serviceTag);
  return [
    ...new Set(macs.map(mac => `mac ${mac}`)),
    ...(uuid ? [`uuid ${uuid}`] : []),
    ...(serial ? [`serial ${serial}`] : []),
  ];
}

const ranks = {seen: 1, token: 2, approved: 2} as const;

function rankOf({quarantineReason, trust}: BootRow): number {
  return quarantineReason ? 0 : ranks[trust];
}
