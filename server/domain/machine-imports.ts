import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {appendEvents, type NewEvent} from '../store/events.ts';
import {countEvidenceAnew, lockAllEvidence} from '../store/evidence.ts';
import {findGroupsByName, type Group, insertMembers} from '../store/groups.ts';
import type {Deps} from './deps.ts';
import type {ExpectedMachine, Machines} from './machines.ts';

/** Lines that are looked up and written together. */
const linesOfStep = 256;
/** Lines: each time that there are four times as many. */
const analysedAfter: ReadonlySet<number> = new Set([linesOfStep, 4 * linesOfStep]);

/** A line that says what machine is expected. */
export type ImportRow = {
  readonly line: number;
  readonly machine: ExpectedMachine;
  /** Names of groups by hand. */
  readonly groups: readonly string[];
};

export type ImportProblem = {
  readonly line: number;
  readonly column: string;
  readonly problem: string;
  readonly remedy: string;
};

export type ImportReport = {
  readonly machineIds: readonly string[];
  readonly goodCount: number;
  readonly applied: boolean;
  readonly problems: readonly ImportProblem[];
};

export type MachineImports = ReturnType<typeof createMachineImports>;

/** Many expected machines in one transaction: all of them, or those without a problem when that is wanted, or none. */
export function createMachineImports({
  sql,
  now,
  newId,
  machines,
}: Deps & {readonly machines: Pick<Machines, 'openRegistration'>}) {
  /** The id of each line's machine, or what is wrong with the line; one that fails takes nothing of the others with it. */
  async function enter(
    tx: Sql,
    actor: string,
    rows: readonly ImportRow[],
  ): Promise<readonly (string | ImportProblem)[]> {
    const registration = await machines.openRegistration(
      tx,
      rows.map(({machine}) => machine),
    );
    const groups = await holdGroups(tx, new Set(rows.flatMap(row => row.groups)));
    const events: NewEvent[] = [];
    const members: {groupId: string; machineId: string}[] = [];

    async function enterLine({machine, groups: names}: ImportRow): Promise<string> {
      await registration.check(machine);
      const its = names.map(name => byHand(name, groups.get(name.toLowerCase())));
      const {id: machineId, event} = registration.add(actor, machine);
      events.push(event);
      for (const {id: groupId, name} of its) {
        members.push({groupId, machineId});
        const subject = `groups/${groupId}`;
        const added = {type: 'group.machine_added', actor, machineId, subject, data: {name}};
        events.push({id: newId(), time: now(), ...added});
      }
      return machineId;
    }

    const done: (string | ImportProblem)[] = [];
    for (const row of rows)
      done.push(await enterLine(row).catch((error: unknown) => problemOf(row.line, error)));
    await registration.write();
    await insertMembers(tx, members);
    await appendEvents(tx, events);
    return done;
  }

  return {
    /** `found` is what was wrong with lines before; they count. */
    async run(
      actor: string,
      rows: readonly ImportRow[],
      how: {
        readonly found: readonly ImportProblem[];
        readonly partial: boolean;
        readonly dryRun: boolean;
      },
    ): Promise<ImportReport> {
      const problems = [...how.found];
      const machineIds: string[] = [];
      const undone = new Error('Nothing is to be kept');
      try {
        await sql.begin(async tx => {
          await lockAllEvidence(tx);
          for (let start = 0; start < rows.length; start += linesOfStep) {
            if (analysedAfter.has(start)) await countEvidenceAnew(tx);
            for (const done of await enter(tx, actor, rows.slice(start, start + linesOfStep)))
              if (typeof done === 'string') machineIds.push(done);
              else problems.push(done);
          }
          if (how.dryRun || (problems.length > 0 && !how.partial)) throw undone;
        });
      } catch (error) {
        if (error !== undone) throw error;
        return {machineIds: [], goodCount: machineIds.length, applied: false, problems};
      }
      const applied = machineIds.length > 0;
      return {machineIds, goodCount: machineIds.length, applied, problems};
    },
  };
}

/** By name in lower case; nobody changes them before the transaction ends. */
async function holdGroups(
  tx: Sql,
  names: ReadonlySet<string>,
): Promise<ReadonlyMap<string, Group>> {
  const groups = names.size > 0 ? await findGroupsByName(tx, [...names], 'share') : [];
  return new Map(groups.map(group => [group.name.toLowerCase(), group]));
}

function byHand(name: string, group: Group | undefined): Group {
  if (!group) throw new DomainError('not_found', `Cannot find group "${name}"`);
  if (group.filter !== '')
    throw new DomainError(
      'failed_precondition',
      `Cannot put a machine into group "${name}": its filter says which they are`,
    );
  return group;
}

const remedies: Readonly<Partial<Record<DomainError['kind'], string>>> = {
  already_exists: 'Remove the line, or change that machine with "muster machines update"',
  not_found: 'Create it first, or correct the name',
  resource_exhausted: 'Import fewer machines at once',
};

function problemOf(line: number, error: unknown): ImportProblem {
  if (!(error instanceof DomainError)) throw error;
  const remedy = remedies[error.kind] ?? 'Correct the line';
  return {line, column: '', problem: error.message, remedy};
}
