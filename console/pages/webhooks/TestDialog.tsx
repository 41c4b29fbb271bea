import {
  Delivery_State as DeliveryState,
  type Webhook,
  WebhookService,
} from '@muster/proto/gen/muster/v1/webhooks_pb.ts';
import {useEffect, useRef} from 'react';
import {useAction} from '../../api/use-action.ts';
import {Skeleton} from '../../ui/blocks.tsx';
import {Button} from '../../ui/Button.tsx';
import {Dialog} from '../../ui/Dialog.tsx';
import {announce} from '../../ui/LiveRegion.tsx';
import {ErrorState, Notice} from '../../ui/states.tsx';
import {Attempts} from './Attempts.tsx';

type TestDialogProps = {readonly webhook: Webhook; readonly onClose: () => void};

/** Opening it sends the test: what became of it stands there as soon as the receiver has answered. */
export function TestDialog({webhook, onClose}: TestDialogProps) {
  const {mutate, data, error, isPending} = useAction(WebhookService.method.sendTestEvent, {
    onDone: ({delivery}) =>
      announce(
        delivery?.state === DeliveryState.DELIVERED
          ? 'The test was delivered'
          : 'The test was not delivered',
      ),
  });
  const isSent = useRef(false);
  useEffect(() => {
    if (isSent.current) return;
    isSent.current = true;
    mutate({id: webhook.id});
  }, [mutate, webhook.id]);
  const delivery = data?.delivery;
  const isDelivered = delivery?.state === DeliveryState.DELIVERED;
  return (
    <Dialog
      title={`Test of ${webhook.name}`}
      onClose={onClose}
      actions={
        <>
          <Button icon="refresh" busy={isPending} onClick={() => mutate({id: webhook.id})}>
            Send again
          </Button>
          <Button kind="primary" onClick={onClose}>
            Done
          </Button>
        </>
      }
    >
      <ErrorState error={error} attempt="send the test" />
      {isPending && <Skeleton lines={3} />}
      {delivery && !isPending && (
        <>
          <Notice tone={isDelivered ? 'ok' : 'warn'} icon={isDelivered ? 'check' : 'warning'}>
            <strong>
              {isDelivered ? 'The receiver took it.' : 'The receiver did not take it.'}
            </strong>
            {!isDelivered && <p>{delivery.error}</p>}
          </Notice>
          <Attempts attempts={delivery.attempts} />
        </>
      )}
    </Dialog>
  );
}
