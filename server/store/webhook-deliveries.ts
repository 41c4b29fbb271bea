import type {Sql} from './db.ts';

export type DeliveryState = 'pending' | 'delivered' | 'dead';

export type Delivery = {
  readonly id: string;
  readonly webhookId: string;
  /** 0 for a test. */
  readonly eventPosition: number;
  readonly eventId: string;
  readonly eventType: string;
  readonly state: DeliveryState;
  readonly attemptCount: number;
  /** Of the last try: 0 when there was no answer. */
  readonly statusCode: number;
  readonly error: string;
  readonly durationMs: number;
  readonly createTime: Date;
  readonly endTime: Date | undefined;
};

export type Attempt = {
  readonly time: Date;
  readonly statusCode: number;
  readonly durationMs: number;
  /** Empty: delivered. */
  readonly error: string;
  readonly answer: string;
};

type Row = Omit<Delivery, 'eventPosition' | 'endTime'> & {
  readonly eventPosition: string;
  readonly endTime: Date | null;
};

/** The position up to which deliveries are made, held until the transaction ends; undefined while another server does it. */
export async function lockCursor(sql: Sql): Promise<number | undefined> {
  const [row] = await sql<{position: string}[]>`
    select position from webhook_cursor for update skip locked
  `;
  return row && Number(row.position);
}

export async function moveCursor(sql: Sql, position: number): Promise<void> {
  await sql`update webhook_cursor set position = ${position}`;
}

/** Wakes the servers that send. One that is there already stays as it is. */
export async function insertDeliveries(sql: Sql, deliveries: readonly Delivery[]): Promise<void> {
  if (deliveries.length === 0) return;
  const rows = deliveries.map(delivery => ({...delivery, endTime: delivery.endTime ?? null}));
  await sql`insert into webhook_deliveries ${sql(rows)} on conflict do nothing`;
  await sql`select pg_notify('webhooks', '')`;
}

/** Of some webhooks: how many wait and how many are dead. Each is counted up to a limit. */
export async function countUndelivered(
  sql: Sql,
  webhookIds: readonly string[],
  countMax: number,
): Promise<ReadonlyMap<string, {readonly pending: number; readonly dead: number}>> {
  const count = (state: DeliveryState) => sql`
    (select count(*)::int from (
      select from webhook_deliveries where webhook_id = ids.id and state = ${sql.unsafe(`'${state}'`)} limit ${countMax}
    ) as counted)
  `;
  const rows = await sql<{id: string; pending: number; dead: number}[]>`
    select id, ${count('pending')} as pending, ${count('dead')} as dead
    from unnest(${[...webhookIds]}::uuid[]) as ids (id)
  `;
  return new Map(rows.map(({id, ...counts}) => [id, counts]));
}

/** The one whose turn it is. */
export async function findNextPending(sql: Sql, webhookId: string): Promise<Delivery | undefined> {
  const [row] = await sql<Row[]>`
    select * from webhook_deliveries where webhook_id = ${webhookId} and state = 'pending'
    order by event_position limit 1
  `;
  return row && toDelivery(row);
}

export async function findDelivery(
  sql: Sql,
  webhookId: string,
  id: string,
): Promise<Delivery | undefined> {
  const [row] = await sql<Row[]>`
    select * from webhook_deliveries where webhook_id = ${webhookId} and id = ${id}
  `;
  return row && toDelivery(row);
}

/** Newest first, before the id given. */
export async function listDeliveries(
  sql: Sql,
  page: {
    readonly webhookId: string;
    readonly state: DeliveryState | undefined;
    readonly before: string | undefined;
    readonly limit: number;
  },
): Promise<readonly Delivery[]> {
  const {webhookId, state, before, limit} = page;
  const rows = await sql<Row[]>`
    select * from webhook_deliveries where webhook_id = ${webhookId}
      and ${state === undefined ? sql`true` : sql`state = ${state}`}
      and ${before === undefined ? sql`true` : sql`id < ${before}`}
    order by id desc limit ${limit}
  `;
  return rows.map(toDelivery);
}

/** The last ones, oldest first. */
export async function listAttempts(
  sql: Sql,
  deliveryId: string,
  limit: number,
): Promise<readonly Attempt[]> {
  const rows = await sql<Attempt[]>`
    select time, status_code, duration_ms, error, answer from webhook_attempts
    where delivery_id = ${deliveryId} order by time desc limit ${limit}
  `;
  return rows.toReversed();
}

/** Where the delivery stands after a try, the try, and the last `kept` tries before it. Nothing when its webhook was deleted in between. */
export async function recordAttempt(
  sql: Sql,
  {
    id,
    state,
    attemptCount,
    endTime,
    attempt,
    kept,
  }: Pick<Delivery, 'id' | 'state' | 'attemptCount' | 'endTime'> & {
    readonly attempt: Attempt;
    readonly kept: number;
  },
): Promise<void> {
  const {statusCode, durationMs, error} = attempt;
  const {count} = await sql`
    update webhook_deliveries set ${sql({state, attemptCount, endTime: endTime ?? null, statusCode, durationMs, error})}
    where id = ${id}
  `;
  if (count === 0) return;
  await sql`insert into webhook_attempts ${sql({deliveryId: id, ...attempt})}`;
  await sql`
    delete from webhook_attempts where delivery_id = ${id} and time < (
      select min(time) from (
        select time from webhook_attempts where delivery_id = ${id} order by time desc limit ${kept}
      ) as newest
    )
  `;
}

/** Gives up all that wait. */
export async function endPending(
  sql: Sql,
  {
    webhookId,
    error,
    endTime,
  }: {readonly webhookId: string; readonly error: string; readonly endTime: Date},
): Promise<number> {
  const result = await sql`
    update webhook_deliveries set state = 'dead', error = ${error}, end_time = ${endTime}
    where webhook_id = ${webhookId} and state = 'pending'
  `;
  return result.count;
}

/** One, whatever became of it, or all dead ones; tests are never sent again. Gives how many wait now. */
export async function queueAgain(
  sql: Sql,
  {
    webhookId,
    id,
    limit,
  }: {readonly webhookId: string; readonly id?: string; readonly limit: number},
): Promise<number> {
  const result = await sql`
    update webhook_deliveries set state = 'pending', attempt_count = 0, end_time = null
    where id in (
      select id from webhook_deliveries
      where webhook_id = ${webhookId} and event_position > 0 and state <> 'pending'
        and ${id === undefined ? sql`state = 'dead'` : sql`id = ${id}`}
      order by event_position limit ${limit}
    )
  `;
  await sql`select pg_notify('webhooks', '')`;
  return result.count;
}

/** Forgets what ended before; at most `limit` at a time. */
export async function deleteEnded(sql: Sql, before: Date, limit: number): Promise<number> {
  const result = await sql`
    delete from webhook_deliveries where id in (
      select id from webhook_deliveries where state <> 'pending' and end_time < ${before} limit ${limit}
    )
  `;
  return result.count;
}

function toDelivery(row: Row): Delivery {
  return {...row, eventPosition: Number(row.eventPosition), endTime: row.endTime ?? undefined};
}
