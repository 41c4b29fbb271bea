import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {
  type Delivery,
  type Webhook,
  WebhookService,
} from '@muster/proto/gen/muster/v1/webhooks_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {useAction} from '../../api/use-action.ts';
import {useReason} from '../../api/use-reason.ts';
import {Badge} from '../../ui/Badge.tsx';
import {KeyValues} from '../../ui/blocks.tsx';
import {Button} from '../../ui/Button.tsx';
import {CopyButton} from '../../ui/CopyButton.tsx';
import {Dialog} from '../../ui/Dialog.tsx';
import {Loading} from '../../ui/Loading.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {Attempts} from './Attempts.tsx';
import {deliveryLook} from './webhook-looks.ts';

type DeliveryDialogProps = {
  readonly webhook: Webhook;
  readonly id: string;
  readonly onClose: () => void;
};

export function DeliveryDialog({webhook, id, onClose}: DeliveryDialogProps) {
  const webhookId = webhook.id;
  const reason = useReason(Permission.ADMINISTER);
  const {data, error, refetch} = useQuery(WebhookService.method.getDelivery, {webhookId, id});
  const redeliver = useAction(WebhookService.method.redeliverDeliveries, {
    done: () => 'It waits to be sent again, under the same id',
  });
  const delivery = data?.delivery;
  return (
    <Dialog
      title={delivery ? `Delivery of ${delivery.eventType}` : 'Delivery'}
      onClose={onClose}
      wide
      actions={
        <>
          <Button
            icon="refresh"
            busy={redeliver.isPending}
            disabledReason={reason ?? (webhook.enabled ? undefined : 'Enable the webhook first')}
            onClick={() => redeliver.mutate({webhookId, deliveryId: id})}
          >
            Send again
          </Button>
          <Button kind="primary" onClick={onClose}>
            Done
          </Button>
        </>
      }
    >
      <ErrorState error={redeliver.error} attempt="send it again" />
      {!delivery && (
        <Loading error={error} refetch={refetch} attempt="load the delivery" lines={5} />
      )}
      {delivery && <DeliveryDetails delivery={delivery} />}
    </Dialog>
  );
}

function DeliveryDetails({delivery}: {readonly delivery: Delivery}) {
  return (
    <>
      <KeyValues
        entries={[
          ['State', <Badge look={deliveryLook(delivery.state)} />],
          ['Made', <RelativeTime time={delivery.createTime} />],
          ['Ended', delivery.endTime && <RelativeTime time={delivery.endTime} />],
          [
            'webhook-id',
            <>
              <span className="mono">{delivery.id}</span>{' '}
              <CopyButton text={delivery.id} what="the id of the delivery" />
            </>,
          ],
          [
            'Event',
            <>
              <span className="mono">{delivery.eventId}</span>
              {delivery.eventPosition > 0n && ` at position ${delivery.eventPosition}`}
            </>,
          ],
        ]}
      />
      <h3>Tries, oldest first{delivery.attemptCount > 20 && ' (the last 20)'}</h3>
      {delivery.attempts.length === 0 ? (
        <p className="muted">None yet: it waits for its turn.</p>
      ) : (
        <Attempts attempts={delivery.attempts} />
      )}
    </>
  );
}
