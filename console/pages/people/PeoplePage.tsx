import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {useSearch} from '@tanstack/react-router';
import type {ReactNode} from 'react';
import {useMay} from '../../api/caller.ts';
import {PageHeader} from '../../ui/blocks.tsx';
import {SearchTabs} from '../../ui/SearchTabs.tsx';
import {AccountTab} from './AccountTab.tsx';
import {SessionsTab} from './SessionsTab.tsx';
import {SignInTab} from './SignInTab.tsx';
import {TokensTab} from './TokensTab.tsx';
import {UsersTab} from './UsersTab.tsx';

const parts = {
  users: {label: 'Users', view: () => <UsersTab />},
  tokens: {label: 'API tokens', view: () => <TokensTab />},
  sessions: {label: 'Sessions', view: () => <SessionsTab />},
  'sign-in': {label: 'Signing in', view: () => <SignInTab />},
  account: {label: 'Your account', view: () => <AccountTab />},
} as const satisfies Record<string, {label: string; view: () => ReactNode}>;

type Part = keyof typeof parts;
const isPart = (text: string | undefined): text is Part => text !== undefined && text in parts;

export function PeoplePage() {
  const {tab} = useSearch({from: '/shell/people'});
  const isAdmin = useMay(Permission.ADMINISTER);
  const usual: Part = isAdmin ? 'users' : 'account';
  const current = isPart(tab) ? tab : usual;
  const names = (Object.keys(parts) as Part[]).filter(name => isAdmin || name !== 'users');
  return (
    <div className="page fill">
      <PageHeader title="People" />
      <SearchTabs
        label="People"
        tabs={names.map(name => ({
          label: parts[name].label,
          isCurrent: name === current,
          link: {to: '/people', search: name === usual ? {} : {tab: name}},
        }))}
      />
      {parts[current].view()}
    </div>
  );
}
