import {User_Role} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {parseBoolean} from './metal-enrollment-values.ts';
import {inBatches, type Move, pick, rowsOf, withIds} from './move.ts';
import {resultOf} from './report.ts';

const usersAtOnce = 50;

const roles: Readonly<Record<string, User_Role>> = {
  admin: User_Role.ADMIN,
  operator: User_Role.OPERATOR,
  viewer: User_Role.VIEWER,
};

/** Without their passwords. */
export async function moveUsers(move: Move): Promise<void> {
  const {clients, report, call} = move;
  // Never the password hashes.
  const columns = ['id', 'username', 'email', 'role', 'active'];
  const rows = rowsOf(move, 'users', {columns, orderBy: ['username', 'id']});
  const usable = withIds(move, 'user', rows, row => row.username);
  for await (const batch of inBatches(usable, {countMax: usersAtOnce})) {
    const users = batch.map(row => ({
      originId: row.id ?? '',
      username: (row.username ?? '').slice(0, 1024),
      email: (row.email ?? '').slice(0, 1024),
      role: roles[row.role ?? ''] ?? User_Role.VIEWER,
      disabled: !parseBoolean(row.active, true),
    }));
    const {outcomes} = await clients.imports.importUsers({...call, users});
    for (const [index, outcome] of outcomes.entries()) {
      const row = batch[index] ?? {};
      const lost = roles[row.role ?? ''] ? [] : [`role ${JSON.stringify(row.role)}: it is viewer`];
      const result = resultOf(outcome);
      report.add({
        ...pick(outcome),
        kind: 'user',
        name: row.username ?? '',
        result,
        losses: [...outcome.losses, ...(result === 'created' ? lost : [])],
      });
    }
  }
}
