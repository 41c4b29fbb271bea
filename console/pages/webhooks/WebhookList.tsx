import {
  type ListWebhooksResponse,
  type Webhook,
  WebhookService,
} from '@muster/proto/gen/muster/v1/webhooks_pb.ts';
import {Link, useNavigate} from '@tanstack/react-router';
import type {TableColumn} from '../../table/columns.ts';
import {NamedListPage} from '../../table/NamedListPage.tsx';
import {useKeysetRows} from '../../table/use-keyset-rows.ts';
import {Badge} from '../../ui/Badge.tsx';
import {CommandLine} from '../../ui/CommandLine.tsx';
import {formatCount} from '../../ui/format.ts';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {EmptyState} from '../../ui/states.tsx';
import {originOf, webhookLook} from './webhook-looks.ts';
import {WebhookDialog} from './WebhookDialog.tsx';

const pageSize = 100;
const rowsOf = ({webhooks}: ListWebhooksResponse) => webhooks;

const columns: readonly TableColumn<Webhook>[] = [
  {
    id: 'name',
    header: 'Webhook',
    widthPx: 150,
    grows: true,
    onPhone: true,
    cell: ({name}) => (
      <Link to="/webhooks" search={{webhook: name}}>
        {name}
      </Link>
    ),
  },
  {
    id: 'state',
    header: 'State',
    widthPx: 110,
    onPhone: true,
    cell: webhook => <Badge look={webhookLook(webhook)} title={webhook.disabledReason} />,
  },
  {
    id: 'url',
    header: 'Sends to',
    widthPx: 200,
    grows: true,
    cell: ({url}) => <span className="mono">{originOf(url)}</span>,
  },
  {
    id: 'types',
    header: 'Events',
    widthPx: 180,
    grows: true,
    cell: ({eventTypes}) =>
      eventTypes.length === 0 ? (
        <span className="muted">all</span>
      ) : (
        <span className="mono">{eventTypes.join(' ')}</span>
      ),
  },
  {
    id: 'pending',
    header: 'Wait',
    widthPx: 60,
    align: 'end',
    cell: ({pendingCount}) => formatCount(pendingCount),
  },
  {
    id: 'dead',
    header: 'Dead',
    widthPx: 60,
    align: 'end',
    onPhone: true,
    cell: ({deadCount}) => formatCount(deadCount),
  },
  {
    id: 'next',
    header: 'Next try',
    widthPx: 100,
    cell: ({nextAttemptTime}) => <RelativeTime time={nextAttemptTime} />,
  },
];

export function WebhookList() {
  const navigate = useNavigate();
  const list = useKeysetRows(WebhookService.method.listWebhooks, {pageSize}, rowsOf);
  const open = (webhook: string) => void navigate({to: '/webhooks', search: {webhook}});
  return (
    <NamedListPage
      title="Webhooks"
      noun="webhook"
      columns={columns}
      list={list}
      onOpen={open}
      empty={
        <EmptyState icon="webhook" title="No other system is told of events">
          <p>
            A webhook sends events of the journal to an address, signed, each at least once and in
            order.
          </p>
          <CommandLine command="muster webhooks create ops-chat https://chat.example/hook --type machine." />
        </EmptyState>
      }
      form={onClose => <WebhookDialog webhook={undefined} onClose={onClose} onSaved={open} />}
    />
  );
}
