import {useSearch} from '@tanstack/react-router';
import type {ReactNode} from 'react';
import {PageHeader} from '../../ui/blocks.tsx';
import {SearchTabs} from '../../ui/SearchTabs.tsx';
import {BootDecisions} from './BootDecisions.tsx';
import {BootExplain} from './BootExplain.tsx';
import {BootOverrides} from './BootOverrides.tsx';
import {BootProfiles} from './BootProfiles.tsx';
import {BootSessions} from './BootSessions.tsx';
import '../../table/table.css';
import './boot.css';

const tabs: readonly {
  readonly tab: string | undefined;
  readonly label: string;
  readonly content: ReactNode;
}[] = [
  {tab: undefined, label: 'Boots', content: <BootSessions />},
  {tab: 'decisions', label: 'What each would boot', content: <BootDecisions />},
  {tab: 'overrides', label: 'Decided by hand', content: <BootOverrides />},
  {tab: 'profiles', label: 'Profiles', content: <BootProfiles />},
];

export function BootPage() {
  const {explain = '', ...search} = useSearch({from: '/shell/boot'});
  const current = tabs.find(({tab}) => tab === search.tab) ?? tabs[0];
  return (
    <div className="page">
      <PageHeader title="Boot" />
      <BootExplain asked={explain} />
      <SearchTabs
        label="Boot"
        tabs={tabs.map(({tab, label}) => ({
          label,
          link: {to: '/boot', search: {tab}},
          isCurrent: tab === current?.tab,
        }))}
      />
      {current?.content}
    </div>
  );
}
