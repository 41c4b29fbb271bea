import type {Sql} from './db.ts';

export type CommandOperation = 'reboot' | 'power_off' | 'collect_inventory' | 'locate';

export type Command = {
  readonly id: string;
  readonly machineId: string;
  readonly operation: CommandOperation;
  readonly state: 'pending' | 'succeeded' | 'failed' | 'timed_out';
  readonly actor: string;
  readonly reason: string;
  readonly createTime: Date;
  readonly expireTime: Date;
  readonly sendCount: number;
};

export async function insertCommand(sql: Sql, command: Command): Promise<void> {
  await sql`insert into commands ${sql(command)}`;
}

/** How it stands; undefined when it is gone with its machine or by age. */
export async function findCommandEnd(
  sql: Sql,
  id: string,
): Promise<(Pick<Command, 'state'> & {readonly message: string}) | undefined> {
  const [row] = await sql<{state: Command['state']; message: string}[]>`
    select state, message from commands where id = ${id}
  `;
  return row;
}

export async function countPendingCommands(sql: Sql, machineId: string): Promise<number> {
  const [row] = await sql<{count: number}[]>`
    select count(*)::int as count from commands where machine_id = ${machineId} and state = 'pending'
  `;
  return row?.count ?? 0;
}

/** Pending ones that were not sent since `before`, marked as sent now: two servers do not send the same one together. */
export async function takeCommandsToSend(
  sql: Sql,
  {before, now, limit}: {readonly before: Date; readonly now: Date; readonly limit: number},
): Promise<readonly Command[]> {
  return sql<Command[]>`
    update commands set send_time = ${now}, send_count = send_count + 1
    where id in (
      select id from commands where state = 'pending' and expire_time > ${now} and (send_time is null or send_time < ${before})
      order by send_time nulls first limit ${limit} for update skip locked
    )
    returning *
  `;
}

/** Undefined when it is none of this machine's, or is over already. */
export async function finishCommand(
  sql: Sql,
  end: {
    readonly id: string;
    readonly machineId: string;
    readonly state: 'succeeded' | 'failed';
    readonly message: string;
    readonly time: Date;
  },
): Promise<Command | undefined> {
  const [row] = await sql<Command[]>`
    update commands set state = ${end.state}, message = ${end.message}, finish_time = ${end.time}
    where id = ${end.id} and machine_id = ${end.machineId} and state in ('pending', 'timed_out')
    returning *
  `;
  return row;
}

/** The machine came back from a boot: whatever asked for one is done, and must not reach the new system. */
export async function finishPowerCommands(
  sql: Sql,
  end: {readonly machineId: string; readonly message: string; readonly time: Date},
): Promise<readonly Command[]> {
  return sql<Command[]>`
    update commands set state = 'succeeded', message = ${end.message}, finish_time = ${end.time}
    where machine_id = ${end.machineId} and state = 'pending' and operation in ('reboot', 'power_off')
    returning *
  `;
}

export async function expireCommands(
  sql: Sql,
  {now, message, limit}: {readonly now: Date; readonly message: string; readonly limit: number},
): Promise<readonly Command[]> {
  return sql<Command[]>`
    update commands set state = 'timed_out', message = ${message}, finish_time = ${now}
    where id in (
      select id from commands where state = 'pending' and expire_time <= ${now} limit ${limit} for update skip locked
    )
    returning *
  `;
}

/** READY machines that sit in the registration image and were not told to reboot in this boot, nor `timesMax` times since they became READY. */
export async function takeMachinesToReboot(
  sql: Sql,
  {timesMax, limit}: {readonly timesMax: number; readonly limit: number},
): Promise<readonly string[]> {
  const rows = await sql<{id: string}[]>`
    select id from machines
    where state = 'ready' and in_registration and quarantine_reason = '' and desired_image_id is not null
      and not desired_image_id = any(bad_image_ids) and entry_action is null
      and not exists (
        select from commands where machine_id = machines.id and operation = 'reboot'
          and create_time >= greatest(machines.state_time, machines.boot_time)
      )
      and (
        select count(*) from commands where machine_id = machines.id and operation = 'reboot'
          and create_time >= machines.state_time
      ) < ${timesMax}
    order by state_time limit ${limit} for update skip locked
  `;
  return rows.map(({id}) => id);
}

export async function deleteCommandsBefore(sql: Sql, time: Date): Promise<void> {
  await sql`delete from commands where state <> 'pending' and finish_time < ${time}`;
}
