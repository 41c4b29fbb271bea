import type {Sql} from './db.ts';

export type AgentKey = {
  readonly publicKey: string;
  readonly machineId: string;
  readonly state: 'current' | 'replaced' | 'revoked';
  /** The kernel's boot id of the boot that made the key. */
  readonly bootId: string;
  readonly bootSession: string;
  readonly imageInputKey: string;
  readonly agentVersion: string;
  readonly createTime: Date;
  readonly endTime: Date | undefined;
};

type Row = Omit<AgentKey, 'endTime'> & {readonly endTime: Date | null};

const toKey = (row: Row): AgentKey => ({...row, endTime: row.endTime ?? undefined});

export async function findAgentKey(sql: Sql, publicKey: string): Promise<AgentKey | undefined> {
  const [row] = await sql<Row[]>`select * from agent_keys where public_key = ${publicKey}`;
  return row && toKey(row);
}

export async function findCurrentAgentKey(
  sql: Sql,
  machineId: string,
): Promise<AgentKey | undefined> {
  const [row] = await sql<Row[]>`
    select * from agent_keys where machine_id = ${machineId} and state = 'current'
  `;
  return row && toKey(row);
}

/** The newest key that a boot with this id made. */
export async function findAgentKeyOfBoot(
  sql: Sql,
  machineId: string,
  bootId: string,
): Promise<AgentKey | undefined> {
  const [row] = await sql<Row[]>`
    select * from agent_keys where machine_id = ${machineId} and boot_id = ${bootId}
    order by create_time desc limit 1
  `;
  return row && toKey(row);
}

/** Makes it the machine's current key. */
export async function insertAgentKey(
  sql: Sql,
  key: Omit<AgentKey, 'state' | 'endTime'>,
): Promise<void> {
  await sql`insert into agent_keys ${sql({...key, state: 'current'})}`;
}

export async function endAgentKey(
  sql: Sql,
  publicKey: string,
  end: {readonly state: 'replaced' | 'revoked'; readonly time: Date},
): Promise<void> {
  await sql`
    update agent_keys set state = ${end.state}, end_time = coalesce(end_time, ${end.time})
    where public_key = ${publicKey}
  `;
}

/** The public key that owns the token: this one, unless another was first. Waits for a transaction that presents the same token. */
export async function claimBootToken(
  sql: Sql,
  token: {readonly id: string; readonly publicKey: string; readonly expireTime: Date},
): Promise<{readonly publicKey: string; readonly machineId: string | undefined}> {
  const [row] = await sql<{publicKey: string; machineId: string | null}[]>`
    insert into boot_tokens ${sql(token)}
    on conflict (id) do update set expire_time = boot_tokens.expire_time
    returning public_key, machine_id
  `;
  return {
    publicKey: row?.publicKey ?? token.publicKey,
    machineId: row?.machineId ?? undefined,
  };
}

export async function setBootTokenMachine(
  sql: Sql,
  tokenId: string,
  machineId: string,
): Promise<void> {
  await sql`update boot_tokens set machine_id = ${machineId} where id = ${tokenId}`;
}

/** False when this report is committed already. */
export async function insertAgentReport(
  sql: Sql,
  report: {readonly machineId: string; readonly reportId: string; readonly time: Date},
): Promise<boolean> {
  const inserted = await sql`
    insert into agent_reports ${sql(report)} on conflict do nothing returning report_id
  `;
  return inserted.length > 0;
}

/** Removes what no longer decides anything: tokens that expired and reports that the stream no longer holds. */
export async function deleteOldAgentRecords(
  sql: Sql,
  before: {readonly tokens: Date; readonly reports: Date; readonly keys: Date},
): Promise<void> {
  await sql`delete from boot_tokens where expire_time < ${before.tokens}`;
  await sql`delete from agent_reports where time < ${before.reports}`;
  await sql`delete from agent_keys where state <> 'current' and end_time < ${before.keys}`;
}

/** It spoke for that machine all along. */
export async function moveAgentKey(sql: Sql, publicKey: string, machineId: string): Promise<void> {
  await sql`update agent_keys set machine_id = ${machineId} where public_key = ${publicKey}`;
}

/** Whether any key has ever spoken for this machine. */
export async function hasAgentKey(sql: Sql, machineId: string): Promise<boolean> {
  const rows = await sql`select from agent_keys where machine_id = ${machineId} limit 1`;
  return rows.length > 0;
}

/** A quarantined machine that is known by this MAC. */
export async function findQuarantinedByMac(sql: Sql, mac: string): Promise<string | undefined> {
  const [row] = await sql<{id: string}[]>`
    select id from machines where quarantine_reason <> '' and mac_address = ${mac} and mac_addresses @> array[${mac}]
    order by create_time, id limit 1
  `;
  return row?.id;
}
