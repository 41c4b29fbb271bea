import {findMachinesByEvidence, listEvidence} from '../store/evidence.ts';
import {findHardwareBody} from '../store/hardware.ts';
import {findMachineRules, type MachineRules} from '../store/machine-rules.ts';
import {findMachine, type Machine, type MachineState} from '../store/machines.ts';
import {nameOf} from './build-rules.ts';
import type {Deps} from './deps.ts';
import {unpackHardware} from './hardware.ts';
import {type Candidate, type EvidenceItem, identify, type Score} from './identity.ts';
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
  async function lookAlikesOf(
    machineId: string,
    items: readonly EvidenceItem[],
  ): Promise<readonly LookAlike[]> {
    if (items.length === 0) return [];
    const found = await findMachinesByEvidence(sql, items, lookAlikesMax + 1);
    const others = found.filter(other => other.machineId !== machineId) as readonly Candidate[];
    const alike: LookAlike[] = [];
    for (const score of identify(items, others).scores) {
      const other = await findMachine(sql, score.machineId);
      if (other) alike.push({...score, name: nameOf(other), state: other.state});
    }
    return alike.slice(0, lookAlikesMax);
  }

  async function describe(machine: Machine): Promise<PendingMachine> {
    const items = (await listEvidence(sql, machine.id)) as readonly EvidenceItem[];
    const [own] = identify(items, [
      {machineId: machine.id, quarantined: false, evidence: items},
    ]).scores;
    const rules = await findMachineRules(sql, machine.id);
    const body = await findHardwareBody(sql, machine.id);
    const lookAlikes = await lookAlikesOf(machine.id, items);
    return {
      machine,
      hardwareJson: body && (await unpackHardware(body.body)),
      identity: {
        score: own?.score ?? 0,
        reasons: (own?.reasons ?? []).map(reason => reason.replace(/^same /, '')),
      },
      lookAlikes,
      heldByRule: rules?.decision === 'hold' ? rules.decisionRule : '',
      nextStep: nextStepOf(machine, {rules, lookAlikes}),
    };
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
      const machines: PendingMachine[] = [];
      for (const machine of page.machines) machines.push(await describe(machine));
      return {machines, nextPageToken: page.nextPageToken, total: page.total?.count ?? 0};
    },
  };
}

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
