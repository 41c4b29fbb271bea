import {createLink, type LinkComponent} from '@tanstack/react-router';
import type {AnchorHTMLAttributes, ReactNode, Ref} from 'react';
import './tabs.css';

/** Tabs within one address: the query says which is shown. Tabs.tsx is for tabs that have addresses of their own. */
export const SwitchTabs = ({
  label,
  children,
}: {
  readonly label: string;
  readonly children: ReactNode;
}) => (
  <nav className="tabs" aria-label={label}>
    {children}
  </nav>
);

type SwitchAnchorProps = AnchorHTMLAttributes<HTMLAnchorElement> & {
  readonly ref?: Ref<HTMLAnchorElement>;
  readonly isShown: boolean;
  readonly count?: number | undefined;
};
const SwitchAnchor = ({isShown, count, children, ...rest}: SwitchAnchorProps) => (
  // The router marks every tab as current: their path is the same.
  <a {...rest} aria-current={isShown ? 'page' : undefined}>
    {children}
    {count !== undefined && count > 0 && <span className="count">{count}</span>}
  </a>
);
export const SwitchTab: LinkComponent<typeof SwitchAnchor> = createLink(SwitchAnchor);
