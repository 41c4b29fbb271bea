import {useSearch} from '@tanstack/react-router';
import type {ReactNode} from 'react';
import {PageHeader} from '../../ui/blocks.tsx';
import {SearchTabs} from '../../ui/SearchTabs.tsx';
import {ConsoleTab} from './ConsoleTab.tsx';
import {ServerTab} from './ServerTab.tsx';
import {ServicesTab} from './ServicesTab.tsx';

const parts = {
  services: {label: 'Edges and builders', view: () => <ServicesTab />},
  server: {label: 'Server', view: () => <ServerTab />},
  console: {label: 'This console', view: () => <ConsoleTab />},
} as const satisfies Record<string, {label: string; view: () => ReactNode}>;

type Part = keyof typeof parts;
const isPart = (text: string | undefined): text is Part => text !== undefined && text in parts;

export function SettingsPage() {
  const {tab} = useSearch({from: '/shell/settings'});
  const current = isPart(tab) ? tab : 'services';
  return (
    <div className="page fill">
      <PageHeader title="Settings" />
      <SearchTabs
        label="Settings"
        tabs={(Object.keys(parts) as Part[]).map(name => ({
          label: parts[name].label,
          isCurrent: name === current,
          link: {to: '/settings', search: name === 'services' ? {} : {tab: name}},
        }))}
      />
      {parts[current].view()}
    </div>
  );
}
