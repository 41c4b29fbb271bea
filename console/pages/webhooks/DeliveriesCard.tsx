import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {
  type Delivery,
  Delivery_State as DeliveryState,
  type ListDeliveriesResponse,
  type Webhook,
  WebhookService,
} from '@muster/proto/gen/muster/v1/webhooks_pb.ts';
import {useNavigate, useSearch} from '@tanstack/react-router';
import {useMemo} from 'react';
import {useAction} from '../../api/use-action.ts';
import {useReason} from '../../api/use-reason.ts';
import type {TableColumn} from '../../table/columns.ts';
import {KeysetTable} from '../../table/KeysetTable.tsx';
import {useKeysetRows} from '../../table/use-keyset-rows.ts';
import {Badge} from '../../ui/Badge.tsx';
import {Card} from '../../ui/blocks.tsx';
import {Button} from '../../ui/Button.tsx';
import {plural} from '../../ui/format.ts';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {EmptyState} from '../../ui/states.tsx';
import {durationText} from './Attempts.tsx';
import {DeliveryDialog} from './DeliveryDialog.tsx';
import {deliveryLook, statusWords} from './webhook-looks.ts';
import '../../ui/card-filter.css';

const pageSize = 100;
const rowsOf = ({deliveries}: ListDeliveriesResponse) => deliveries;
const states: Readonly<Record<string, {readonly label: string; readonly state: DeliveryState}>> = {
  '': {label: 'All', state: DeliveryState.UNSPECIFIED},
  dead: {label: 'Dead', state: DeliveryState.DEAD},
  pending: {label: 'Waiting', state: DeliveryState.PENDING},
  delivered: {label: 'Delivered', state: DeliveryState.DELIVERED},
};

const columns: readonly TableColumn<Delivery>[] = [
  {
    id: 'type',
    header: 'Event',
    widthPx: 170,
    grows: true,
    onPhone: true,
    cell: ({eventType}) => <strong>{eventType}</strong>,
  },
  {
    id: 'state',
    header: 'State',
    widthPx: 110,
    onPhone: true,
    cell: ({state}) => <Badge look={deliveryLook(state)} />,
  },
  {
    id: 'tries',
    header: 'Tries',
    widthPx: 60,
    align: 'end',
    cell: ({attemptCount}) => attemptCount,
  },
  {
    id: 'answer',
    header: 'Last answer',
    widthPx: 220,
    grows: true,
    cell: ({attemptCount, statusCode, error, duration}) =>
      attemptCount === 0 ? (
        <span className="muted">not tried yet</span>
      ) : (
        <span title={error}>
          {statusWords(statusCode)}
          {duration && ` after ${durationText(duration)}`}
          {error && <span className="muted"> · {error}</span>}
        </span>
      ),
  },
  {
    id: 'position',
    header: 'Position',
    widthPx: 80,
    align: 'end',
    cell: ({eventPosition}) => (eventPosition === 0n ? 'test' : String(eventPosition)),
  },
  {
    id: 'made',
    header: 'Made',
    widthPx: 100,
    cell: ({createTime}) => <RelativeTime time={createTime} />,
  },
];

export function DeliveriesCard({webhook}: {readonly webhook: Webhook}) {
  const {state = '', delivery} = useSearch({from: '/shell/webhooks'});
  const navigate = useNavigate();
  const go = (part: {readonly state?: string; readonly delivery?: string}) =>
    void navigate({to: '/webhooks', search: {webhook: webhook.name, ...part}});
  const kept = state === '' ? {} : {state};
  const input = useMemo(
    () => ({pageSize, webhookId: webhook.id, state: (states[state] ?? states[''])?.state ?? 0}),
    [webhook.id, state],
  );
  const list = useKeysetRows(WebhookService.method.listDeliveries, input, rowsOf);
  return (
    <Card title="Deliveries" actions={<RedeliverButton webhook={webhook} />} flush>
      <div className="card-filter" role="group" aria-label="Which deliveries">
        {Object.entries(states).map(([name, {label}]) => (
          <Button
            key={name}
            kind="quiet"
            aria-pressed={state === name}
            onClick={() => go(name === '' ? {} : {state: name})}
          >
            {label}
          </Button>
        ))}
      </div>
      <KeysetTable
        label="Deliveries"
        columns={columns}
        list={list}
        attempt="list the deliveries"
        rowId={({id}) => id}
        onOpen={({id}) => go({...kept, delivery: id})}
        empty={
          <EmptyState
            icon="webhook"
            title={state === 'dead' ? 'None is dead' : 'Nothing was sent yet'}
          >
            <p>Deliveries are kept for some weeks after their end. Send a test to see one.</p>
          </EmptyState>
        }
      />
      {delivery && <DeliveryDialog webhook={webhook} id={delivery} onClose={() => go(kept)} />}
    </Card>
  );
}

function RedeliverButton({webhook}: {readonly webhook: Webhook}) {
  const reason = useReason(Permission.ADMINISTER);
  const redeliver = useAction(WebhookService.method.redeliverDeliveries, {
    attempt: 'send them again',
    done: ({count}) => `${plural(count, 'delivery waits', 'deliveries wait')} to be sent again`,
  });
  const held = webhook.enabled ? undefined : 'Enable the webhook first';
  if (webhook.deadCount === 0) return null;
  return (
    <Button
      icon="refresh"
      busy={redeliver.isPending}
      disabledReason={reason ?? held}
      onClick={() => redeliver.mutate({webhookId: webhook.id})}
    >
      Send {plural(webhook.deadCount, 'dead one', 'dead ones')} again
    </Button>
  );
}
