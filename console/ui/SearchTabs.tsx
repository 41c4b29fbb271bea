import {createLink, type LinkComponent, type LinkProps} from '@tanstack/react-router';
import type {AnchorHTMLAttributes, Ref} from 'react';
import {useCurrentTab} from './use-current-tab.ts';
import './tabs.css';

type SearchTab = {
  readonly label: string;
  readonly link: LinkProps;
  readonly isCurrent: boolean;
  readonly count?: number | undefined;
};

type AnchorProps = AnchorHTMLAttributes<HTMLAnchorElement> & {
  readonly isCurrent: boolean;
  readonly ref?: Ref<HTMLAnchorElement>;
};

/** The router tells paths apart, not `?tab=`: the page says which one it shows. */
const TabAnchor = ({isCurrent, ...rest}: AnchorProps) => (
  <a {...rest} aria-current={isCurrent ? 'page' : undefined} />
);
const TabLink: LinkComponent<typeof TabAnchor> = createLink(TabAnchor);

/** Tabs of one page whose address differs in its search only; they look as Tabs do. */
export function SearchTabs({
  label,
  tabs,
}: {
  readonly label: string;
  readonly tabs: readonly SearchTab[];
}) {
  const nav = useCurrentTab();
  return (
    <nav ref={nav} className="tabs" aria-label={label}>
      {tabs.map(({label, link, isCurrent, count}) => (
        <TabLink key={label} {...link} isCurrent={isCurrent} resetScroll={false}>
          {label}
          {count !== undefined && count > 0 && <span className="count">{count}</span>}
        </TabLink>
      ))}
    </nav>
  );
}
