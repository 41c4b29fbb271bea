import {type Webhook, WebhookService} from '@muster/proto/gen/muster/v1/webhooks_pb.ts';
import {Code} from '@connectrpc/connect';
import {useQuery} from '@connectrpc/connect-query';
import {isCode} from '../../api/errors.ts';
import {useReloadEvery} from '../../api/use-reload.ts';
import {Badge} from '../../ui/Badge.tsx';
import {Card, KeyValues, PageHeader, Skeleton} from '../../ui/blocks.tsx';
import {ButtonLink} from '../../ui/Button.tsx';
import {CopyButton} from '../../ui/CopyButton.tsx';
import {plural} from '../../ui/format.ts';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {EmptyState, ErrorState, Notice} from '../../ui/states.tsx';
import {DeliveriesCard} from './DeliveriesCard.tsx';
import {webhookLook} from './webhook-looks.ts';
import {WebhookActions} from './WebhookActions.tsx';
import './webhooks.css';

/** Deliveries are no events: they would be delivered again. */
const reloadMs = 5_000;

export function WebhookView({name}: {readonly name: string}) {
  useReloadEvery([WebhookService], reloadMs);
  const {data, error, refetch} = useQuery(WebhookService.method.getWebhook, {id: name});
  const webhook = data?.webhook;
  if (isCode(error, Code.NotFound))
    return (
      <EmptyState icon="question" title={`There is no webhook “${name}”`}>
        <p>It may have been deleted, or it has another name now.</p>
        <ButtonLink to="/webhooks">To the webhooks</ButtonLink>
      </EmptyState>
    );
  if (error && !webhook)
    return <ErrorState error={error} attempt="load the webhook" onRetry={() => void refetch()} />;
  if (!webhook) return <Skeleton lines={8} />;
  return (
    <div className="page">
      <PageHeader
        title={webhook.name}
        beside={<Badge look={webhookLook(webhook)} />}
        actions={<WebhookActions webhook={webhook} />}
      />
      <WebhookTrouble webhook={webhook} />
      <div className="webhook-cards">
        <SendingCard webhook={webhook} />
        <BodyCard webhook={webhook} />
      </div>
      <DeliveriesCard webhook={webhook} />
    </div>
  );
}

function WebhookTrouble({webhook}: {readonly webhook: Webhook}) {
  if (webhook.disabledReason)
    return (
      <Notice tone="bad" icon="warning">
        <strong>The server disabled it: {webhook.disabledReason}.</strong>
        <p>Mend the receiver, test, enable, and send the dead deliveries again.</p>
      </Notice>
    );
  if (webhook.enabled && webhook.consecutiveFailures > 0)
    return (
      <Notice tone="warn" icon="issue">
        <strong>{plural(webhook.consecutiveFailures, 'failure')} in a row</strong>, since{' '}
        <RelativeTime time={webhook.failingSinceTime} />; next try{' '}
        <RelativeTime time={webhook.nextAttemptTime} empty="soon" />. Later events wait behind it.
      </Notice>
    );
  return null;
}

function SendingCard({webhook}: {readonly webhook: Webhook}) {
  return (
    <Card title="What is sent where">
      <KeyValues
        entries={[
          [
            'Address',
            <>
              <span className="mono webhook-url">{webhook.url}</span>{' '}
              <CopyButton text={webhook.url} what="the address" />
            </>,
          ],
          [
            'Events',
            webhook.eventTypes.length === 0 ? (
              'of all types'
            ) : (
              <span className="mono">{webhook.eventTypes.join(' ')}</span>
            ),
          ],
          ['Filter', webhook.filter && <code>{webhook.filter}</code>],
          ['Headers', webhook.headers.map(({name}) => name).join(', ')],
          ['Tries', `${webhook.attemptsMax || 12}, then it is dead`],
          [
            'Old secret',
            webhook.oldSecretEndTime && (
              <>
                signs as well, ends <RelativeTime time={webhook.oldSecretEndTime} />
              </>
            ),
          ],
          ['Made', <RelativeTime time={webhook.createTime} />],
        ]}
      />
    </Card>
  );
}

function BodyCard({webhook}: {readonly webhook: Webhook}) {
  return (
    <Card title={`Body: ${webhook.contentType || 'application/json'}`}>
      {webhook.template === '' ? (
        <p>The event as JSON.</p>
      ) : (
        <pre className="webhook-preview" tabIndex={0} aria-label="Template">
          {webhook.template}
        </pre>
      )}
    </Card>
  );
}
