import type {Sql} from './db.ts';

export type Webhook = {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly eventTypes: readonly string[];
  readonly filter: string;
  readonly template: string;
  readonly contentType: string;
  readonly headerNames: readonly string[];
  readonly sealedHeaders: Uint8Array;
  readonly sealedSecret: Uint8Array;
  readonly sealedOldSecret: Uint8Array | undefined;
  readonly oldSecretEndTime: Date | undefined;
  readonly enabled: boolean;
  readonly disabledReason: string;
  readonly attemptsMax: number;
  readonly fromPosition: number;
  readonly consecutiveFailures: number;
  readonly failingSinceTime: Date | undefined;
  readonly nextAttemptTime: Date | undefined;
  readonly createTime: Date;
  readonly updateTime: Date;
};

type Row = {readonly [K in keyof Webhook]: Webhook[K] extends undefined ? null : Webhook[K] | null};

export type WebhookKey = {readonly id: string} | {readonly name: string};

const uniqueViolation = '23505';

/** False when the name is taken; names differ by more than case. */
export async function insertWebhook(sql: Sql, webhook: Webhook): Promise<boolean> {
  const result = await sql`insert into webhooks ${sql(toRow(webhook))} on conflict do nothing`;
  return result.count === 1;
}

/** False when the name is taken: the transaction is over then. What a server claims is left alone. */
export async function updateWebhook(sql: Sql, {id, ...webhook}: Webhook): Promise<boolean> {
  try {
    await sql`update webhooks set ${sql(toRow(webhook))} where id = ${id}`;
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === uniqueViolation) return false;
    throw error;
  }
}

export async function deleteWebhook(sql: Sql, id: string): Promise<void> {
  await sql`delete from webhooks where id = ${id}`;
}

/** By id, or by name without regard to case. */
export async function findWebhook(
  sql: Sql,
  key: WebhookKey,
  lock: 'none' | 'update' = 'none',
): Promise<Webhook | undefined> {
  const [row] = await sql<Row[]>`
    select ${columns(sql)} from webhooks
    where ${'id' in key ? sql`id = ${key.id}` : sql`lower(name) = lower(${key.name})`}
    ${lock === 'update' ? sql`for update` : sql``}
  `;
  return row && toWebhook(row);
}

/** By name, after the one given. */
export async function listWebhooks(
  sql: Sql,
  {after, limit}: {readonly after: string; readonly limit: number},
): Promise<readonly Webhook[]> {
  const rows = await sql<Row[]>`
    select ${columns(sql)} from webhooks where lower(name) > lower(${after}) order by lower(name) limit ${limit}
  `;
  return rows.map(toWebhook);
}

export async function countWebhooks(sql: Sql): Promise<number> {
  const [row] = await sql<{count: number}[]>`select count(*)::int as count from webhooks`;
  return row?.count ?? 0;
}

export async function listEnabledWebhooks(sql: Sql): Promise<readonly Webhook[]> {
  const rows = await sql<Row[]>`select ${columns(sql)} from webhooks where enabled order by id`;
  return rows.map(toWebhook);
}

/**
 * Takes webhooks that have something to send and nobody who sends it: first those that work, then those that fail, of which no more than
 * `failingMax`; by chance, so that none waits for ever behind busy ones. The claim lasts on the database's clock, which all servers share.
 */
export async function claimWebhooks(
  sql: Sql,
  wanted: {
    readonly claim: string;
    readonly leaseMs: number;
    readonly limit: number;
    readonly failingMax: number;
  },
): Promise<readonly Webhook[]> {
  const {claim, leaseMs, limit, failingMax} = wanted;
  const free = sql`
    enabled and (next_attempt_time is null or next_attempt_time <= now())
    and (claim is null or claim_end_time < now())
    and exists (select from webhook_deliveries where webhook_id = webhooks.id and state = 'pending')
  `;
  const rows = await sql<Row[]>`
    with working as (
      select id from webhooks where consecutive_failures = 0 and ${free}
      order by random() limit ${limit} for update skip locked
    ), failing as (
      select id from webhooks where consecutive_failures > 0 and ${free}
      order by next_attempt_time limit ${Math.min(limit, failingMax)} for update skip locked
    ), chosen as (
      (select id from working) union all (select id from failing) limit ${limit}
    )
    update webhooks set claim = ${claim}, claim_end_time = now() + ${leaseMs} * interval '1 ms'
    from chosen where webhooks.id = chosen.id
    returning ${columns(sql)}
  `;
  return rows.map(toWebhook);
}

/** Makes the claim last on; undefined when it is another's by now, or when the webhook was disabled or deleted. */
export async function renewClaim(
  sql: Sql,
  held: {readonly id: string; readonly claim: string; readonly leaseMs: number},
): Promise<Webhook | undefined> {
  const [row] = await sql<Row[]>`
    update webhooks set claim_end_time = now() + ${held.leaseMs} * interval '1 ms'
    where id = ${held.id} and claim = ${held.claim} and enabled
    returning ${columns(sql)}
  `;
  return row && toWebhook(row);
}

export async function releaseClaim(
  sql: Sql,
  held: {readonly id: string; readonly claim: string},
): Promise<void> {
  await sql`
    update webhooks set claim = null, claim_end_time = null where id = ${held.id} and claim = ${held.claim}
  `;
}

/** How it went; says whether the claim still held, so that the last word on a webhook is its holder's. */
export async function recordHealth(
  sql: Sql,
  health: {
    readonly id: string;
    readonly claim: string;
    readonly consecutiveFailures: number;
    readonly failingSinceTime: Date | null;
    readonly waitMs: number | null;
  },
): Promise<boolean> {
  const {id, claim, waitMs, consecutiveFailures, failingSinceTime} = health;
  const result = await sql`
    update webhooks set consecutive_failures = ${consecutiveFailures}, failing_since_time = ${failingSinceTime},
      next_attempt_time = ${waitMs === null ? sql`null` : sql`now() + ${waitMs} * interval '1 ms'`}
    where id = ${id} and claim = ${claim}
  `;
  return result.count === 1;
}

const columns = (sql: Sql) => sql`
  webhooks.id, name, url, event_types, filter, template, content_type, header_names, sealed_headers, sealed_secret,
  sealed_old_secret, old_secret_end_time, enabled, disabled_reason, attempts_max, from_position, consecutive_failures,
  failing_since_time, next_attempt_time, create_time, update_time
`;

function toRow(webhook: Partial<Webhook>) {
  return Object.fromEntries(
    Object.entries(webhook).map(([name, value]) => [
      name,
      Array.isArray(value) ? [...(value as readonly string[])] : (value ?? null),
    ]),
  );
}

function toWebhook(row: Row): Webhook {
  const known = Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value ?? undefined]),
  );
  return {...(known as Webhook), fromPosition: Number(row.fromPosition)};
}
