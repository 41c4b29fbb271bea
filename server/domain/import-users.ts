import {findOrigin, putOrigin} from '../store/imports.ts';
import {findUser, findUserByName, type Role, updateUser, type UserRow} from '../store/users.ts';
import {type Batch, eachRecord, type ImportOutcome, skipped} from './import-batch.ts';
import {deleted} from './import-groups.ts';
import {readEmail, readUsername} from './import-rules.ts';
import {insertUser} from './users.ts';

export type ForeignUser = {
  readonly originId: string;
  readonly username: string;
  readonly email: string;
  readonly role: Role | 'member';
  readonly disabled: boolean;
};

/** Without passwords. Of somebody who is here nothing is changed: least of all what they may do. */
export const importUsers = (
  batch: Batch,
  users: readonly ForeignUser[],
): Promise<readonly ImportOutcome[]> => eachRecord(users, user => importUser(batch, user));

async function importUser(batch: Batch, record: ForeignUser): Promise<ImportOutcome> {
  const {tx, source, actor, now} = batch;
  const {originId, role, disabled} = record;
  const read = readUsername(record.username);
  if ('problem' in read) return skipped(originId, read.problem);
  const key = {source, kind: 'user', originId} as const;
  const origin = await findOrigin(tx, key);
  if (origin) {
    const known = await findUser(tx, origin.localId);
    return known ? unchanged(originId, known, '') : deleted(originId, origin.localId);
  }
  const namesake = await findUserByName(tx, read.name);
  if (namesake)
    return unchanged(originId, namesake, `"${read.name}" is here already: nothing was changed`);

  const {email, losses} = readEmail(record.email);
  const {id} = await insertUser(tx, batch, {
    username: read.name,
    email,
    role,
    actor,
    passwordHash: null,
  });
  if (disabled) await updateUser(tx, id, {disableTime: now()});
  await putOrigin(tx, key, {localId: id, taken: {}, time: now()});
  return {originId, result: 'created', id, reason: read.remark, losses};
}

const unchanged = (originId: string, {id}: UserRow, reason: string): ImportOutcome => ({
  originId,
  result: 'unchanged',
  id,
  reason,
  losses: [],
});
