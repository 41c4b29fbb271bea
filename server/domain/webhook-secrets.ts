import type {MasterKey} from '../secrets.ts';
import type {Webhook} from '../store/webhooks.ts';

type Id = Pick<Webhook, 'id'>;

/** What lies sealed in a webhook's row, each bound to its webhook and its use. */
export function createWebhookSecrets(key: MasterKey) {
  const secretName = ({id}: Id) => `webhook ${id} secret`;
  const headersName = ({id}: Id) => `webhook ${id} headers`;
  return {
    sealSecret: (webhook: Id, secret: string) => key.seal(secretName(webhook), Buffer.from(secret)),

    sealHeaders: (webhook: Id, headers: ReadonlyMap<string, string>) =>
      key.seal(headersName(webhook), Buffer.from(JSON.stringify([...headers]))),

    /** By lower-case name. */
    openHeaders(webhook: Id & Pick<Webhook, 'sealedHeaders'>): ReadonlyMap<string, string> {
      const text = key.open(headersName(webhook), webhook.sealedHeaders).toString();
      return new Map(JSON.parse(text) as [string, string][]);
    },

    /** Those that sign now, the present one first. */
    openSecrets(webhook: Webhook, now: Date): readonly string[] {
      const {sealedSecret, sealedOldSecret: old, oldSecretEndTime: end} = webhook;
      const sealed = old && end && end > now ? [sealedSecret, old] : [sealedSecret];
      return sealed.map(bytes => key.open(secretName(webhook), bytes).toString());
    },
  };
}

export type WebhookSecrets = ReturnType<typeof createWebhookSecrets>;
