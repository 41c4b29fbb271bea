import {CommandError} from '../exit-status.ts';
import {type Move, pick, rowsOf, withIds} from './move.ts';
import {resultOf} from './report.ts';

const membersMax = 1_000_000;

/** After their machines. */
export async function moveGroups(move: Move, machines: ReadonlySet<string>): Promise<void> {
  const {clients, report, call} = move;
  const members = await readMembers(move);
  const columns = ['id', 'name', 'description', 'tags'];
  const rows = rowsOf(move, 'groups', {columns, orderBy: ['name', 'id']});
  const usable = withIds(move, 'group', rows, row => row.name);
  for await (const row of usable) {
    const all = members.get(row.id ?? '') ?? [];
    const {tags, losses} = readTags(row.tags);
    const lost = all.filter(id => !machines.has(id));
    const group = {
      originId: row.id ?? '',
      name: (row.name ?? '').slice(0, 1024),
      description: (row.description ?? '').slice(0, 65_536),
      tags,
      machineOriginIds: all.filter(id => machines.has(id)),
    };
    const {outcomes} = await clients.imports.importGroups({...call, groups: [group]});
    for (const outcome of outcomes)
      report.add({
        ...pick(outcome),
        kind: 'group',
        name: group.name,
        result: resultOf(outcome),
        losses: [
          ...losses,
          ...outcome.losses,
          ...lost.map(id => `its machine "${id}" did not come over`),
        ],
      });
  }
}

async function readMembers(move: Move): Promise<ReadonlyMap<string, readonly string[]>> {
  const members = new Map<string, string[]>();
  const columns = ['group_id', 'machine_id'];
  let count = 0;
  for await (const {group_id: group = '', machine_id: machine = ''} of rowsOf(
    move,
    'group_memberships',
    {columns, orderBy: columns},
  )) {
    if ((count += 1) > membersMax)
      throw new CommandError(`Cannot move more than ${membersMax} memberships of groups`);
    const known = members.get(group);
    if (known) known.push(machine);
    else members.set(group, [machine]);
  }
  return members;
}

function readTags(text: string | undefined): {tags: string[]; losses: string[]} {
  if (!text || text.trim() === 'null') return {tags: [], losses: []};
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value) && value.every(tag => typeof tag === 'string'))
      return {tags: value.slice(0, 256).map(tag => tag.slice(0, 1024)), losses: []};
  } catch {
    // Told below.
  }
  return {tags: [], losses: ['its tags are no JSON list of texts']};
}
