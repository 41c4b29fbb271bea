import {type EvidentMachine, findEvidentMachines, findLookAlikes} from '../store/evidence.ts';
import {findHardwareBodies} from '../store/hardware.ts';
import {findRulesOfMachines, type MachineRules} from '../store/machine-rules.ts';
import type {Machine, MachineState} from '../store/machines.ts';
import {nameOf} from './build-rules.ts';
import type {Deps} from './deps.ts';
import {unpackHardware} from './hardware.ts';
import {type Candidate, type EvidenceKind, identify, type Score} from './identity.ts';
import {isUuid} from './ids.ts';
import type {MachineSearch} from './machine-search.ts';
import {mergeable} from './lifecycle.ts';

const pageSizeDefault = 50;
const lookAlikesMax = 8;
/** In doubt, or waiting; not what was turned away. */
const waiting =
  '(state = PENDING OR quarantine_reason:*) AND NOT (state = REJECTED OR state = RETIRED)';

export type LookAlike = Score & {readonly name: string; readonly state: MachineState};

export type PendingMachine = {
  readonly machine: Machine;
  /** The last inventory; undefined before the first. */
  readonly hardwareJson: string | undefined;
  /** What it can be recognised by at all. */
  readonly identity: Pick<Score, 'score' | 'reasons'>;
  readonly lookAlikes: readonly LookAlike[];
  /** Empty when no rule does. */
  readonly heldByRule: string;
  readonly nextStep: string;
};

export type PendingQueue = ReturnType<typeof createPendingQueue>;

/** Which box is this: machines that wait, with everything that helps to tell. */
export function createPendingQueue({
  sql,
  search,
}: Pick<Deps, 'sql'> & {readonly search: MachineSearch}) {
  /** Of each machine, the likest first; four statements for all of them. */
  async function describe(machines: readonly Machine[]): Promise<readonly PendingMachine[]> {
    const ids = machines.map(({id}) => id);
    if (ids.length === 0) return [];
    const pairs = await findLookAlikes(sql, ids, lookAlikesMax + 1);
    const evident = await findEvidentMachines(sql, [
      ...new Set([...ids, ...pairs.map(({alikeId}) => alikeId)]),
    ]);
    const rules = await findRulesOfMachines(sql, ids);
    const bodies = await findHardwareBodies(sql, ids);
    const byId = new Map(evident.map(known => [known.machineId, known]));
    const alike = Map.groupBy(pairs, ({machineId}) => machineId);
    return Promise.all(
      machines.map(async machine => {
        const {id} = machine;
        const body = bodies.get(id);
        const others = (alike.get(id) ?? []).filter(({alikeId}) => alikeId !== id);
        return {
          ...tell(machine, {
            own: byId.get(id),
            others: others.flatMap(({alikeId}) => byId.get(alikeId) ?? []),
            rules: rules.get(id),
          }),
          hardwareJson: body && (await unpackHardware(body)),
        };
      }),
    );
  }

  return {
    /** The longest first; with an id only that one. */
    async list({
      pageSize,
      pageToken,
      id,
      countTotal,
    }: {
      readonly pageSize: number;
      readonly pageToken: string;
      readonly id: string;
      readonly countTotal: boolean;
    }) {
      if (id !== '' && !isUuid(id)) return {machines: [], nextPageToken: '', total: 0};
      const page = await search.list({
        filter: id === '' ? waiting : `id = "${id}" AND ${waiting}`,
        orderBy: 'create_time',
        states: [],
        pageSize: pageSize || pageSizeDefault,
        pageToken,
        countTotal: countTotal && pageToken === '',
        exactTotal: true,
        columns: undefined,
      });
      const machines = await describe(page.machines);
      return {machines, nextPageToken: page.nextPageToken, total: page.total?.count ?? 0};
    },
  };
}

function tell(
  machine: Machine,
  {
    own,
    others,
    rules,
  }: {
    readonly own: EvidentMachine | undefined;
    readonly others: readonly EvidentMachine[];
    readonly rules: MachineRules | undefined;
  },
): Omit<PendingMachine, 'hardwareJson'> {
  const items = own ? candidateOf(own).evidence : [];
  const itself = {machineId: machine.id, quarantined: false, evidence: items};
  const [identity] = identify(items, [itself]).scores;
  const named = new Map(others.map(other => [other.machineId, other]));
  const lookAlikes = identify(items, others.map(candidateOf))
    .scores.flatMap(score => {
      const other = named.get(score.machineId);
      if (!other) return [];
      return [{...score, name: nameOf({...other, id: other.machineId}), state: other.state}];
    })
    .slice(0, lookAlikesMax);
  return {
    machine,
    identity: {
      score: identity?.score ?? 0,
      reasons: (identity?.reasons ?? []).map(reason => reason.replace(/^same /, '')),
    },
    lookAlikes,
    heldByRule: rules?.decision === 'hold' ? rules.decisionRule : '',
    nextStep: nextStepOf(machine, {rules, lookAlikes}),
  };
}

const candidateOf = ({machineId, quarantined, evidence}: EvidentMachine): Candidate => ({
  machineId,
  quarantined,
  evidence: evidence.map(({kind, value}) => ({kind: kind as EvidenceKind, value})),
});

export function nextStepOf(
  machine: Pick<Machine, 'id' | 'quarantineReason' | 'banReason'>,
  {
    rules,
    lookAlikes,
  }: {
    readonly rules: MachineRules | undefined;
    readonly lookAlikes: readonly Pick<LookAlike, 'machineId' | 'score' | 'state'>[];
  },
): string {
  const [alike] = lookAlikes;
  const merge =
    alike && alike.score > 0
      ? `; if it is machine "${alike.machineId}", merge the two (${mergeable.has(alike.state) ? 'either may stay' : 'that one stays'})`
      : '';
  if (machine.quarantineReason)
    return `${machine.quarantineReason}. Accept it if it is a machine of its own${merge}`;
  if (rules?.decision === 'hold')
    return `Rule "${rules.decisionRule}" holds it: accept or reject it${merge}`;
  if (rules?.policyAccepts && !rules.applyTime)
    return `Rules decide when its inventory has come${merge}`;
  return `Accept or reject it${merge}`;
}
