import {createHash} from 'node:crypto';
import {readdir, readFile} from 'node:fs/promises';
import {type Database, openSession} from './db.ts';

const folder = new URL('migrations/', import.meta.url);
// Any constant that nobody else locks.
const lockKey = 0x6d_75_73_74;

/**
 * Applies the migrations that are missing, in the order of their names, each in a transaction of its own. Several servers may start at once: a
 * session lock lets one do it. Refuses a database whose applied migrations differ from the files.
 */
export async function migrate(sql: Database): Promise<readonly string[]> {
  const names = (await readdir(folder)).filter(name => name.endsWith('.sql')).sort();
  const session = openSession(sql);
  try {
    await session`select pg_advisory_lock(${lockKey})`;
    await session`
      create table if not exists migrations (
        name text primary key,
        sha256 text not null,
        apply_time timestamptz not null default now()
      )
    `;
    const applied = new Map(
      (await session<{name: string; sha256: string}[]>`select name, sha256 from migrations`).map(
        row => [row.name, row.sha256],
      ),
    );

    const done: string[] = [];
    for (const name of names) {
      const text = await readFile(new URL(name, folder), 'utf8');
      const sha256 = createHash('sha256').update(text).digest('hex');
      const known = applied.get(name);
      if (known !== undefined && known !== sha256)
        throw new Error(
          `Cannot migrate: "${name}" was changed after it had been applied; add a new migration instead`,
        );
      if (known !== undefined) continue;

      await session.unsafe('begin');
      try {
        await session.unsafe(text);
        await session`insert into migrations ${session({name, sha256})}`;
        await session.unsafe('commit');
      } catch (error) {
        await session.unsafe('rollback');
        throw new Error(`Cannot apply migration "${name}"`, {cause: error});
      }
      done.push(name);
    }
    return done;
  } finally {
    // The lock goes with its session.
    await session.end({timeout: 5});
  }
}
