import {
  type ApiToken,
  type ListApiTokensResponse,
  TokenService,
} from '@muster/proto/gen/muster/v1/tokens_pb.ts';
import {useNavigate, useSearch} from '@tanstack/react-router';
import {useMemo, useState} from 'react';
import {useAction} from '../../api/use-action.ts';
import {useNow} from '../../hooks/use-now.ts';
import {KeysetTable} from '../../table/KeysetTable.tsx';
import {useKeysetRows} from '../../table/use-keyset-rows.ts';
import {Button} from '../../ui/Button.tsx';
import {CommandLine} from '../../ui/CommandLine.tsx';
import {ConfirmDialog} from '../../ui/Dialog.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {EmptyState, ErrorState} from '../../ui/states.tsx';
import {CreateTokenDialog} from './CreateTokenDialog.tsx';
import {tokenColumns} from './token-columns.tsx';
import {WhoseField} from './WhoseField.tsx';

const pageSize = 100;
const rowsOf = ({tokens}: ListApiTokensResponse) => tokens;

export function TokensTab() {
  const {user} = useSearch({from: '/shell/people'});
  const navigate = useNavigate();
  const now = useNow();
  const [creating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<ApiToken>();
  const input = useMemo(() => ({pageSize, userId: user ?? ''}), [user]);
  const list = useKeysetRows(TokenService.method.listApiTokens, input, rowsOf);
  const minute = Math.floor(now.getTime() / 60_000);
  const columns = useMemo(
    () => tokenColumns({nowMs: minute * 60_000, onRevoke: setRevoking}),
    [minute],
  );
  return (
    <>
      <div className="toolbar">
        <Button kind="primary" icon="plus" onClick={() => setCreating(true)}>
          New token
        </Button>
        <WhoseField
          user={user}
          onChange={next =>
            void navigate({to: '/people', search: {tab: 'tokens', ...(next && {user: next})}})
          }
        />
        <span className="muted">For programs, in place of a person’s password.</span>
      </div>
      <KeysetTable
        label="API tokens"
        columns={columns}
        list={list}
        attempt="list the tokens"
        rowId={({id}) => id}
        empty={
          <EmptyState icon="people" title="There are no tokens here">
            <p>A program that calls the API takes one. The button above makes it, or:</p>
            <CommandLine command="muster tokens create ci --may view --days 30" />
          </EmptyState>
        }
      />
      {creating && (
        <CreateTokenDialog
          user={user === '-' ? undefined : user}
          onClose={() => setCreating(false)}
        />
      )}
      {revoking && <RevokeDialog token={revoking} onClose={() => setRevoking(undefined)} />}
    </>
  );
}

function RevokeDialog({token, onClose}: {readonly token: ApiToken; readonly onClose: () => void}) {
  const revoke = useAction(TokenService.method.revokeApiToken, {
    done: () => `Token ${token.name} is worth nothing any more`,
    onDone: onClose,
  });
  return (
    <ConfirmDialog
      title={`Revoke token ${token.name}?`}
      action={`Revoke ${token.name}`}
      busy={revoke.isPending}
      error={<ErrorState error={revoke.error} attempt="revoke the token" />}
      onConfirm={() => revoke.mutate({id: token.id})}
      onClose={onClose}
    >
      <p>Whatever uses it is refused from now on. It cannot be undone: make a new one instead.</p>
      {token.lastUseTime && (
        <p>
          Last used <RelativeTime time={token.lastUseTime} /> from{' '}
          <span className="mono">{token.lastUseAddress}</span>.
        </p>
      )}
    </ConfirmDialog>
  );
}
