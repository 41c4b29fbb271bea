import {DomainError} from '../errors.ts';
import type {Send, SendResult} from '../clients/webhook-sender.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import {type JournalEntry, listEntries} from '../store/journal.ts';
import {
  type Delivery,
  endPending,
  findNextPending,
  recordAttempt,
} from '../store/webhook-deliveries.ts';
import * as store from '../store/webhooks.ts';
import type {Webhook} from '../store/webhooks.ts';
import type {Deps} from './deps.ts';
import {originOf, reasonToDisable, type RetryRules, waitAfter} from './webhook-rules.ts';
import type {WebhookSecrets} from './webhook-secrets.ts';
import {signatureHeaders} from './webhook-signature.ts';
import {renderBody} from './webhook-template.ts';

/** Sent one after the other before another webhook has its turn. */
const sentPerClaimMax = 100;
export const attemptsKeptMax = 20;
const userAgent = 'Muster-Webhook/1';

export type WebhookSendingDeps = Deps & {
  readonly secrets: WebhookSecrets;
  readonly send: Send;
  readonly rules: RetryRules;
  /** Longer than a request may take: until then no other server sends for the webhook. */
  readonly leaseMs: number;
  readonly random: () => number;
};

export type WebhookSending = ReturnType<typeof createWebhookSending>;

/** Sends what waits, for each webhook in the order of the journal. At least once: a delivery is done when its answer is on record. */
export function createWebhookSending(deps: WebhookSendingDeps) {
  const {sql, newId, leaseMs} = deps;

  return {
    /** Webhooks to drain, each with the claim to do it under. */
    async claim(limit: number, failingMax: number) {
      const claim = newId();
      const wanted = {claim, leaseMs, limit, failingMax};
      const webhooks = await store.claimWebhooks(sql, wanted);
      return webhooks.map(webhook => ({webhook, claim}));
    },

    /** Until nothing waits, the receiver fails, or others should have a turn. True when more waits. */
    async drain(
      {webhook: {id}, claim}: {readonly webhook: Webhook; readonly claim: string},
      signal: AbortSignal,
    ): Promise<boolean> {
      try {
        for (let sent = 0; sent < sentPerClaimMax; sent += 1) {
          const webhook = await store.renewClaim(sql, {id, claim, leaseMs});
          const delivery = webhook && (await findNextPending(sql, id));
          if (!webhook || !delivery || signal.aborted) return false;
          if (!(await deliver(deps, {webhook, claim, delivery}, signal))) return false;
        }
        return true;
      } finally {
        await store.releaseClaim(sql, {id, claim});
      }
    },
  };
}

type Turn = {readonly webhook: Webhook; readonly claim: string; readonly delivery: Delivery};

/** Whether the next one may follow. */
async function deliver(
  deps: WebhookSendingDeps,
  turn: Turn,
  signal: AbortSignal,
): Promise<boolean> {
  const {sql, now} = deps;
  const {webhook, delivery} = turn;
  const position = delivery.eventPosition;
  const [entry] = await listEntries(sql, {after: position - 1, upTo: position, limit: 1});
  const time = now();
  const result = entry
    ? await sendEvent(deps, {webhook, entry, deliveryId: delivery.id}, signal)
    : {...unsendable, error: 'The event is gone from the journal by retention'};
  // Stopped in between, it is neither here nor there: the next server sends it again.
  if (signal.aborted && result.error !== '') return false;

  const delivered = result.error === '';
  await sql.begin(async tx => {
    const attemptCount = delivery.attemptCount + 1;
    const dead = result.final || attemptCount >= webhook.attemptsMax;
    const state = delivered ? 'delivered' : dead ? 'dead' : 'pending';
    const held = await recordHealth(tx, deps, {turn, result, time});
    // Another server has it by now, and its word counts; but what arrived has arrived.
    if (!held && !delivered) return;
    const {statusCode, durationMs, error, answer} = result;
    await recordAttempt(tx, {
      id: delivery.id,
      state,
      attemptCount,
      endTime: state === 'pending' ? undefined : now(),
      attempt: {time, statusCode, durationMs, error, answer},
      kept: attemptsKeptMax,
    });
    if (held && !delivered) await disableWhenHopeless(tx, deps, {turn, result});
  });
  // What can never be sent says nothing of the receiver.
  return delivered || result.final === true;
}

/** False when the claim is lost. */
async function recordHealth(
  tx: Sql,
  {rules, random}: WebhookSendingDeps,
  {turn, result, time}: {turn: Turn; result: Result; time: Date},
): Promise<boolean> {
  const {webhook, claim} = turn;
  const {id} = webhook;
  const healthy = {consecutiveFailures: 0, failingSinceTime: null, waitMs: null};
  if (result.error === '' && webhook.consecutiveFailures === 0) return true;
  if (result.error === '') return store.recordHealth(tx, {id, claim, ...healthy});
  if (result.final) return true;
  const failures = webhook.consecutiveFailures + 1;
  const {retryAfterMs} = result;
  return store.recordHealth(tx, {
    id,
    claim,
    consecutiveFailures: failures,
    failingSinceTime: webhook.failingSinceTime ?? time,
    waitMs: waitAfter(rules, {failures, retryAfterMs, random: random()}),
  });
}

async function disableWhenHopeless(
  tx: Sql,
  {rules, now, newId}: WebhookSendingDeps,
  {turn: {webhook}, result}: {turn: Turn; result: Result},
): Promise<void> {
  const since = webhook.failingSinceTime ?? now();
  const failingForMs = now().getTime() - since.getTime();
  const reason = result.final ? undefined : reasonToDisable(rules, {result, failingForMs});
  if (reason !== undefined) await disableWebhook(tx, {id: webhook.id, reason, now, newId});
}

/** What waits is dead then: listed, and sent again when somebody says so. */
export async function disableWebhook(
  tx: Sql,
  {id, reason, now, newId}: Pick<Deps, 'now' | 'newId'> & {id: string; reason: string},
): Promise<void> {
  const webhook = await store.findWebhook(tx, {id}, 'update');
  if (!webhook?.enabled) return;
  await store.updateWebhook(tx, {...webhook, enabled: false, disabledReason: reason});
  const error = 'The webhook was disabled';
  const deadCount = await endPending(tx, {webhookId: id, error, endTime: now()});
  await appendEvent(tx, {
    id: newId(),
    time: now(),
    type: 'webhook.disabled',
    actor: 'system',
    subject: `webhooks/${id}`,
    data: {name: webhook.name, origin: originOf(webhook.url), reason, dead_count: deadCount},
    change: {before: {enabled: true}, after: {enabled: false, disabledReason: reason}},
  });
}

/** `final`: no further try would do better. */
export type Result = SendResult & {readonly final?: boolean};

const unsendable = {
  statusCode: 0,
  durationMs: 0,
  answer: '',
  retryAfterMs: undefined,
  final: true,
};

/** One request with its signature. A body that cannot be made is a result too. */
export async function sendEvent(
  {now, secrets, send}: Pick<WebhookSendingDeps, 'now' | 'secrets' | 'send'>,
  {webhook, entry, deliveryId}: {webhook: Webhook; entry: JournalEntry; deliveryId: string},
  signal: AbortSignal,
): Promise<Result> {
  const {url, template, contentType, name: webhookName} = webhook;
  try {
    const body = renderBody(template, contentType, {entry, deliveryId, webhookName});
    const time = now();
    const signing = {id: deliveryId, time, body, secrets: secrets.openSecrets(webhook, time)};
    const headers = {
      ...Object.fromEntries(secrets.openHeaders(webhook)),
      'user-agent': userAgent,
      'content-type': contentType,
      ...signatureHeaders(signing),
    };
    return await send({url, headers, body}, signal);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return {...unsendable, error: error.message};
  }
}
