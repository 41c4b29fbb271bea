import {
  type Ban,
  Ban_Kind as Kind,
  DiscoveryService,
  type ListBansResponse,
} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {useState} from 'react';
import {useOperateReason} from '../../api/caller.ts';
import {useAction} from '../../api/use-action.ts';
import {TextField} from '../../forms/fields.tsx';
import {Form} from '../../forms/Form.tsx';
import {MoreRows} from '../../table/MoreRows.tsx';
import {useKeysetRows} from '../../table/use-keyset-rows.ts';
import {Button} from '../../ui/Button.tsx';
import {Card, Skeleton} from '../../ui/blocks.tsx';
import {CopyButton} from '../../ui/CopyButton.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {EmptyState, ErrorState} from '../../ui/states.tsx';
import {useUnban} from './BanDialog.tsx';

const kindWords: Readonly<Record<Kind, string>> = {
  [Kind.UNSPECIFIED]: 'Identifier',
  [Kind.MAC_ADDRESS]: 'MAC',
  [Kind.UUID]: 'UUID',
  [Kind.SERIAL]: 'Serial',
};
const bansOf = (page: ListBansResponse) => page.bans;

/** Boxes that are never let in. */
export function BansPanel() {
  const list = useKeysetRows(DiscoveryService.method.listBans, {pageSize: 100}, bansOf);
  const {rows, error, isLoading, refresh} = list;
  return (
    <div className="bans">
      <BanForm />
      <Card title="Banned" flush>
        <ErrorState error={error} attempt="load the bans" onRetry={refresh} />
        {isLoading && <Skeleton lines={4} />}
        {!isLoading && !error && rows.length === 0 && (
          <EmptyState icon="check" title="Nothing is banned">
            <p>
              A box that shall never boot from here: ban it by serial number, UUID or MAC, before or
              after it came. <code>muster machines ban MACHINE</code>
            </p>
          </EmptyState>
        )}
        <ul className="ban-list" aria-label="Bans">
          {rows.map(ban => (
            <BanRow key={ban.id} ban={ban} />
          ))}
        </ul>
        <MoreRows list={list}>Show more</MoreRows>
      </Card>
    </div>
  );
}

function BanRow({ban}: {readonly ban: Ban}) {
  const unban = useUnban();
  const reason = useOperateReason();
  return (
    <li>
      <span className="ban-what">
        <span className="muted">{kindWords[ban.kind]}</span>{' '}
        <span className="mono">{ban.value}</span>
        <CopyButton text={ban.value} what="the identifier" />
      </span>
      <span className="ban-why">
        {ban.reason || <span className="muted">No reason given</span>}
        <span className="muted">
          {' '}
          · {ban.actor} · <RelativeTime time={ban.createTime} />
        </span>
      </span>
      <Button
        disabledReason={reason}
        aria-label={`End the ban of ${ban.value}`}
        onClick={() => void unban([ban])}
      >
        End the ban
      </Button>
    </li>
  );
}

function BanForm() {
  const [identifier, setIdentifier] = useState('');
  const [reason, setReason] = useState('');
  const operateReason = useOperateReason();
  const ban = useAction(DiscoveryService.method.createBan, {also: [MachineService]});
  const submit = () => {
    ban.mutate(
      {identifier: identifier.trim(), reason},
      {
        onSuccess: () => {
          setIdentifier('');
          setReason('');
        },
      },
    );
  };
  return (
    <Card title="Ban an identifier">
      <Form className="ban-form" onSubmit={submit}>
        <TextField
          label="Serial number, UUID or MAC"
          required
          maxLength={128}
          className="input mono"
          value={identifier}
          onChange={event => setIdentifier(event.target.value)}
        />
        <TextField
          label="Reason"
          maxLength={256}
          value={reason}
          onChange={event => setReason(event.target.value)}
        />
        <Button type="submit" kind="danger" busy={ban.isPending} disabledReason={operateReason}>
          Ban it
        </Button>
      </Form>
      <ErrorState error={ban.error} attempt="ban it" />
    </Card>
  );
}
