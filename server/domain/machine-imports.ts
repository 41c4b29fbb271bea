import {DomainError} from '../errors.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import {countEvidenceAnew, lockAllEvidence} from '../store/evidence.ts';
import {findGroup, insertMember} from '../store/groups.ts';
import type {Deps} from './deps.ts';
import type {ExpectedMachine, Machines} from './machines.ts';

/** Rows: each time that there are four times as many. */
const analysedAfter: ReadonlySet<number> = new Set([64, 256, 1024]);

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
}: Deps & {readonly machines: Pick<Machines, 'register'>}) {
  async function enter(tx: Sql, actor: string, {machine, groups}: ImportRow): Promise<string> {
    const {id} = await machines.register(tx, actor, machine);
    for (const name of groups) {
      const group = await findGroup(tx, {name}, 'share');
      if (!group) throw new DomainError('not_found', `Cannot find group "${name}"`);
      if (group.filter !== '')
        throw new DomainError(
          'failed_precondition',
          `Cannot put a machine into group "${name}": its filter says which they are`,
        );
      await insertMember(tx, group.id, id);
      await appendEvent(tx, {
        id: newId(),
        time: now(),
        type: 'group.machine_added',
        actor,
        machineId: id,
        subject: `groups/${group.id}`,
        data: {name: group.name},
      });
    }
    return id;
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
          for (const [index, row] of rows.entries()) {
            if (analysedAfter.has(index)) await countEvidenceAnew(tx);
            // Each line by itself: one that fails takes nothing of the others with it.
            const done = await tx
              .savepoint(inner => enter(inner, actor, row))
              .catch((error: unknown) => problemOf(row.line, error));
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
