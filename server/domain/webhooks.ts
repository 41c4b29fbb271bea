import {DomainError} from '../errors.ts';
import type {NetworkPolicy} from '../clients/network-policy.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent, type Change} from '../store/events.ts';
import {findJournalHead} from '../store/journal.ts';
import {countUndelivered} from '../store/webhook-deliveries.ts';
import * as store from '../store/webhooks.ts';
import type {Webhook} from '../store/webhooks.ts';
import {created, deleted, updated} from './changes.ts';
import type {Deps} from './deps.ts';
import {compileEventFilter} from './event-filter.ts';
import {getWebhook, webhookNamePattern} from './find-webhook.ts';
import {badPageToken} from './ids.ts';
import {checkHeaderNames, checkUrl, originOf} from './webhook-rules.ts';
import type {WebhookSecrets} from './webhook-secrets.ts';
import {makeSigningSecret} from './webhook-signature.ts';
import {checkTemplate, jsonContentType} from './webhook-template.ts';

export const webhooksMax = 200;
const attemptsMaxDefault = 12;
const keepOldSecondsDefault = 86_400;
const pageSizeDefault = 50;
/** Counted no further: "at least so many". */
export const countMax = 10_000;

export type Header = {readonly name: string; readonly value: string};

/** What people say of a webhook. */
export type WebhookContent = Pick<
  Webhook,
  'name' | 'url' | 'eventTypes' | 'filter' | 'template' | 'contentType' | 'enabled' | 'attemptsMax'
> & {readonly headers: readonly Header[]};

export type WebhookView = {
  readonly webhook: Webhook;
  readonly pending: number;
  readonly dead: number;
};

export type Webhooks = ReturnType<typeof createWebhooks>;

export function createWebhooks({
  sql,
  now,
  newId,
  policy,
  secrets,
}: Deps & {readonly policy: NetworkPolicy; readonly secrets: WebhookSecrets}) {
  /** The columns of what people said. An empty value keeps the header that there is. Throws invalid_argument. */
  function toColumns(wanted: Partial<WebhookContent>, before: Webhook | undefined, id: string) {
    const {headers, url, attemptsMax, contentType, ...same} = wanted;
    const sealed = headers && sealHeaders(headers, before, id);
    const columns = {
      ...same,
      ...(url === undefined ? {} : {url: checkUrl(url, policy)}),
      ...(attemptsMax === undefined ? {} : {attemptsMax: attemptsMax || attemptsMaxDefault}),
      ...(contentType === undefined ? {} : {contentType: contentType || jsonContentType}),
      ...sealed,
    };
    compileEventFilter({filter: columns.filter ?? before?.filter ?? ''}, now());
    checkTemplate(
      columns.template ?? before?.template ?? '',
      columns.contentType ?? before?.contentType ?? jsonContentType,
    );
    return columns;
  }

  function sealHeaders(headers: readonly Header[], before: Webhook | undefined, id: string) {
    checkHeaderNames(headers.map(({name}) => name));
    const known = before ? secrets.openHeaders(before) : new Map<string, string>();
    const values = new Map(
      headers.map(({name, value}) => {
        const lower = name.toLowerCase();
        const kept = value || known.get(lower);
        if (kept === undefined)
          throw new DomainError('invalid_argument', `Cannot send header "${name}" without a value`);
        return [lower, kept] as const;
      }),
    );
    const sealedHeaders = secrets.sealHeaders({id}, values);
    return {headerNames: headers.map(({name}) => name), sealedHeaders};
  }

  /** Events of before are not its own: it was not there, or not enabled. */
  const headPosition = async (tx: Sql) => (await findJournalHead(tx))?.position ?? 0;

  async function view(tx: Sql, webhook: Webhook): Promise<WebhookView> {
    const counts = await countUndelivered(tx, [webhook.id], countMax);
    return {webhook, ...(counts.get(webhook.id) ?? {pending: 0, dead: 0})};
  }

  async function append(
    tx: Sql,
    type: string,
    {actor, webhook: {id, name, url}, change}: {actor: string; webhook: Webhook; change: Change},
  ): Promise<void> {
    const data = {name, origin: originOf(url)};
    const subject = `webhooks/${id}`;
    await appendEvent(tx, {id: newId(), time: now(), type, actor, subject, data, change});
  }

  return {
    get: async (key: string): Promise<WebhookView> => view(sql, await getWebhook(sql, key)),

    /** By name; the page token is the last name of the page before. */
    async list({pageSize, pageToken}: {readonly pageSize: number; readonly pageToken: string}) {
      if (pageToken !== '' && !webhookNamePattern.test(pageToken)) throw badPageToken(pageToken);
      const limit = pageSize || pageSizeDefault;
      const rows = await store.listWebhooks(sql, {after: pageToken, limit: limit + 1});
      const found = rows.slice(0, limit);
      const ids = found.map(({id}) => id);
      const counts = await countUndelivered(sql, ids, countMax);
      const none = {pending: 0, dead: 0};
      const webhooks = found.map(webhook => ({webhook, ...(counts.get(webhook.id) ?? none)}));
      return {webhooks, nextPageToken: rows.length > limit ? (found.at(-1)?.name ?? '') : ''};
    },

    /** `secret` is shown this once. Throws invalid_argument, already_exists. */
    async create(actor: string, wanted: WebhookContent) {
      const id = newId();
      const columns = toColumns(wanted, undefined, id);
      const secret = makeSigningSecret();
      return sql.begin(async tx => {
        if ((await store.countWebhooks(tx)) >= webhooksMax)
          throw new DomainError(
            'resource_exhausted',
            `Cannot keep more than ${webhooksMax} webhooks: delete one first`,
          );
        const webhook: Webhook = {
          ...empty,
          // All of it was wanted.
          ...(columns as Required<typeof columns>),
          id,
          sealedSecret: secrets.sealSecret({id}, secret),
          fromPosition: await headPosition(tx),
          createTime: now(),
          updateTime: now(),
        };
        if (!(await store.insertWebhook(tx, webhook))) throw taken('create', webhook.name);
        await append(tx, 'webhook.created', {actor, webhook, change: created(shown(webhook))});
        return {view: {webhook, pending: 0, dead: 0} satisfies WebhookView, secret};
      });
    },

    /** Throws invalid_argument, not_found, already_exists. Enabled again, it begins anew: old failures are forgotten. */
    update: (actor: string, key: string, change: Partial<WebhookContent>): Promise<WebhookView> =>
      sql.begin(async tx => {
        const before = await getWebhook(tx, key, 'update');
        const columns = toColumns(change, before, before.id);
        const starts = columns.enabled === true && !before.enabled;
        const webhook: Webhook = {
          ...before,
          ...columns,
          ...(starts ? {...healthy, fromPosition: await headPosition(tx)} : {}),
          // Whoever changed it wants to see whether it helps.
          nextAttemptTime: undefined,
          updateTime: now(),
        };
        if (!(await store.updateWebhook(tx, webhook))) throw taken('rename', webhook.name);
        const told = updated(shown(before), shown(webhook));
        await append(tx, 'webhook.updated', {actor, webhook, change: told});
        return view(tx, webhook);
      }),

    delete: (actor: string, key: string): Promise<void> =>
      sql.begin(async tx => {
        const webhook = await getWebhook(tx, key, 'update');
        await store.deleteWebhook(tx, webhook.id);
        await append(tx, 'webhook.deleted', {actor, webhook, change: deleted(shown(webhook))});
      }),

    /** `secret` is shown this once; the one before signs as well for so long. */
    rotate: (actor: string, key: string, keepOldSeconds = keepOldSecondsDefault) =>
      sql.begin(async tx => {
        const before = await getWebhook(tx, key, 'update');
        const secret = makeSigningSecret();
        const endTime = new Date(now().getTime() + keepOldSeconds * 1000);
        const webhook: Webhook = {
          ...before,
          sealedSecret: secrets.sealSecret(before, secret),
          sealedOldSecret: keepOldSeconds > 0 ? before.sealedSecret : undefined,
          oldSecretEndTime: keepOldSeconds > 0 ? endTime : undefined,
          updateTime: now(),
        };
        await store.updateWebhook(tx, webhook);
        const change = updated(shown(before), shown(webhook));
        await append(tx, 'webhook.secret_rotated', {actor, webhook, change});
        return {view: await view(tx, webhook), secret};
      }),
  };
}

const healthy = {
  disabledReason: '',
  consecutiveFailures: 0,
  failingSinceTime: undefined,
  nextAttemptTime: undefined,
};

const empty = {
  ...healthy,
  headerNames: [],
  sealedHeaders: new Uint8Array(),
  sealedOldSecret: undefined,
  oldSecretEndTime: undefined,
};

/** What the audit may see of it. */
function shown(webhook: Webhook): object {
  const {name, url, eventTypes, filter, template, contentType, headerNames} = webhook;
  const {enabled, attemptsMax, oldSecretEndTime} = webhook;
  return {
    name,
    origin: originOf(url),
    eventTypes,
    filter,
    template,
    contentType,
    headerNames,
    enabled,
    attemptsMax,
    oldSecretEndTime,
  };
}

function taken(verb: string, name: string): DomainError {
  return new DomainError(
    'already_exists',
    `Cannot ${verb} webhook "${name}": the name is taken; choose another`,
  );
}
