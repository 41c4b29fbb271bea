import type {Bulk} from '../store/bulks.ts';
import type {Sql} from '../store/db.ts';
import {findUser} from '../store/users.ts';
import {includesRole} from './roles.ts';

/**
 * Why whoever asked for it, or resumed it, may not go on; empty when they may. The permission of the call was checked when it was made; this is for what lasts
 * longer than a call: a person who is disabled, deleted or no operator any more begins nothing further.
 */
export async function refusalOf(tx: Sql, {userId, actor}: Bulk): Promise<string> {
  if (userId === undefined) return '';
  const user = await findUser(tx, userId);
  if (!user) return `"${actor}", who is responsible for it, was deleted`;
  if (user.disabled) return `"${actor}", who is responsible for it, was disabled`;
  return includesRole(user.role, 'operator')
    ? ''
    : `"${actor}", who is responsible for it, is no operator any more`;
}
