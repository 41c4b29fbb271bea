import type {ApiToken} from '@muster/proto/gen/muster/v1/tokens_pb.ts';
import type {TableColumn} from '../../table/columns.ts';
import {Badge} from '../../ui/Badge.tsx';
import {Button} from '../../ui/Button.tsx';
import {dateOf} from '../../ui/format.ts';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import type {Look} from '../../ui/tones.ts';
import {permissionWord} from './roles.ts';

type TokenColumns = {
  readonly nowMs: number;
  readonly onRevoke: (token: ApiToken) => void;
};

const soonMs = 7 * 86_400_000;

export function tokenLook(token: ApiToken, nowMs: number): Look {
  if (token.revoked) return {word: 'Revoked', tone: 'idle', icon: 'cross'};
  const leftMs = (dateOf(token.expireTime)?.getTime() ?? 0) - nowMs;
  if (leftMs <= 0) return {word: 'Expired', tone: 'idle', icon: 'dash'};
  if (leftMs < soonMs) return {word: 'Ends soon', tone: 'warn', icon: 'pending'};
  return {word: 'Live', tone: 'ok', icon: 'check'};
}

const isLive = (token: ApiToken, nowMs: number): boolean =>
  !token.revoked && (dateOf(token.expireTime)?.getTime() ?? 0) > nowMs;

export const tokenColumns = ({nowMs, onRevoke}: TokenColumns): readonly TableColumn<ApiToken>[] => [
  {
    id: 'name',
    header: 'Token',
    widthPx: 120,
    grows: true,
    onPhone: true,
    cell: ({name}) => <strong>{name}</strong>,
  },
  {id: 'user', header: 'Of', widthPx: 100, grows: true, cell: ({username}) => username},
  {id: 'may', header: 'May', widthPx: 92, cell: ({permission}) => permissionWord(permission)},
  {
    id: 'where',
    header: 'Where',
    widthPx: 120,
    cell: ({workspaceId}) =>
      workspaceId ? (
        <span title={workspaceId}>one workspace</span>
      ) : (
        <span className="muted">as its user</span>
      ),
  },
  {
    id: 'use',
    header: 'Last use',
    widthPx: 190,
    cell: ({lastUseTime, lastUseAddress}) => (
      <>
        <RelativeTime time={lastUseTime} empty="never" />{' '}
        <span className="mono muted">{lastUseAddress}</span>
      </>
    ),
  },
  {
    id: 'ends',
    header: 'Ends',
    widthPx: 100,
    cell: ({expireTime}) => <RelativeTime time={expireTime} />,
  },
  {
    id: 'state',
    header: 'State',
    widthPx: 120,
    onPhone: true,
    cell: token => <Badge look={tokenLook(token, nowMs)} />,
  },
  {
    id: 'actions',
    header: 'Action',
    widthPx: 96,
    onPhone: true,
    cell: token =>
      isLive(token, nowMs) && (
        <Button kind="quiet" aria-label={`Revoke ${token.name}`} onClick={() => onRevoke(token)}>
          Revoke
        </Button>
      ),
  },
];
