import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import type {Issue} from '../store/issues.ts';
import type {Deps} from './deps.ts';

/** What the journal is told of issues. Of a muted one it is told without a severity: who waits for critical ones shall not hear of it. */
export const createIssueEvents =
  ({now, newId}: Pick<Deps, 'now' | 'newId'>) =>
  async (
    tx: Sql,
    type: string,
    {
      issue,
      actor,
      data,
    }: {
      readonly issue: Issue;
      readonly actor: string;
      readonly data: Readonly<Record<string, unknown>>;
    },
  ): Promise<void> => {
    const {id, machineId, source, kind, component, severity, summary, mute} = issue;
    const weight = mute ? {muted: true} : {severity};
    await appendEvent(tx, {
      id: newId(),
      time: now(),
      type,
      actor,
      machineId,
      subject: `issues/${id}`,
      data: {source, kind, component, ...weight, summary, ...data},
    });
  };

export type AppendIssueEvent = ReturnType<typeof createIssueEvents>;
