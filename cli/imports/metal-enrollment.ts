import {CommandError} from '../exit-status.ts';
import {moveGroups} from './move-groups.ts';
import {moveHistory} from './move-history.ts';
import {moveMachines} from './move-machines.ts';
import {moveUsers} from './move-users.ts';
import {type Move, rowsOf} from './move.ts';

/** Everything, in the order in which one thing needs another. */
export async function moveMetalEnrollment(move: Move): Promise<void> {
  if ((await move.source.columns('machines')).size === 0)
    throw new CommandError('Cannot find a Metal Enrollment there: there is no table "machines"');
  await moveUsers(move);
  const machines = await moveMachines(move);
  await moveGroups(move, machines);
  if (move.withHistory) await moveHistory(move, machines);
  await tellWhatStays(move);
}

const staying = [
  ['api_keys', 'API keys', 'Make new ones: "muster tokens create".'],
  ['webhooks', 'webhooks', 'Muster has none yet.'],
  ['machine_templates', 'templates', 'Put them in with "muster templates create".'],
] as const;

async function tellWhatStays(move: Move): Promise<void> {
  for (const [table, what, advice] of staying) {
    let count = 0;
    for await (const _row of rowsOf(move, table, {columns: ['id'], orderBy: ['id']})) count += 1;
    move.report.leave(what, count, advice);
  }
}
