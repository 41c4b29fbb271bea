import {Link, type LinkProps} from '@tanstack/react-router';
import {Icon, type IconName} from './icons.tsx';
import {useCurrentTab} from './use-current-tab.ts';
import './tabs.css';

export type Tab = {
  readonly label: string;
  readonly link: LinkProps;
  readonly icon?: IconName;
  readonly count?: number | undefined;
};

/** Tabs are pages of their own: each has an address, and the browser's back button works. */
export function Tabs({label, tabs}: {readonly label: string; readonly tabs: readonly Tab[]}) {
  const nav = useCurrentTab();
  return (
    <nav ref={nav} className="tabs" aria-label={label}>
      {tabs.map(tab => (
        <Link key={tab.label} {...tab.link} activeOptions={{exact: true, includeSearch: false}}>
          {tab.icon && <Icon name={tab.icon} />}
          {tab.label}
          {tab.count !== undefined && tab.count > 0 && <span className="count">{tab.count}</span>}
        </Link>
      ))}
    </nav>
  );
}
