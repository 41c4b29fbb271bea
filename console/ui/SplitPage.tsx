import {createLink, type LinkComponent} from '@tanstack/react-router';
import {
  type AnchorHTMLAttributes,
  type KeyboardEvent,
  type ReactNode,
  type Ref,
  useEffect,
  useRef,
} from 'react';
import {PageHeader} from './blocks.tsx';
import {Icon} from './icons.tsx';
import './split.css';

type SplitPageProps = {
  readonly title: string;
  readonly beside?: ReactNode;
  readonly actions?: ReactNode;
  /** Between the title and the two columns: tabs, notices. */
  readonly above?: ReactNode;
  readonly list: ReactNode;
  /** What is opened; undefined when nothing is. */
  readonly openKey: string | undefined;
  /** In place of `detail` while nothing is opened; a phone shows the list alone. */
  readonly children: ReactNode;
};

/** A list, and beside it what was chosen of it. On a phone one of the two at a time; the address says which. */
export function SplitPage(props: SplitPageProps) {
  const {title, beside, actions, above, list, openKey, children} = props;
  const split = useRef<HTMLDivElement>(null);
  useReturnOfFocus(openKey, split.current);
  return (
    <div className="page split-page" data-open={openKey !== undefined || undefined}>
      <PageHeader title={title} beside={beside} actions={actions} />
      {above}
      <div className="split" ref={split}>
        <div className="split-list">{list}</div>
        <div className="split-detail">{children}</div>
      </div>
    </div>
  );
}

/** Whoever goes back to the list is where they were. */
function useReturnOfFocus(openKey: string | undefined, root: HTMLElement | null): void {
  const before = useRef(openKey);
  useEffect(() => {
    const key = before.current;
    before.current = openKey;
    if (openKey !== undefined || key === undefined) return;
    const links = root?.querySelectorAll<HTMLElement>('[data-item]') ?? [];
    for (const link of links) if (link.dataset['item'] === key) link.focus();
  }, [openKey, root]);
}

/** Entries of the list: the arrow keys go from one to the next, Enter opens. */
export function ItemList({
  label,
  children,
}: {
  readonly label: string;
  readonly children: ReactNode;
}) {
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (step === undefined) return;
    const links = [...event.currentTarget.querySelectorAll<HTMLElement>('a[data-item]')];
    const at = links.findIndex(link => link === document.activeElement);
    const next = links[at + step];
    if (at < 0 || !next) return;
    event.preventDefault();
    next.focus();
  };
  return (
    <nav aria-label={label} className="item-list" onKeyDown={onKeyDown}>
      <ul>{children}</ul>
    </nav>
  );
}

type ItemProps = AnchorHTMLAttributes<HTMLAnchorElement> & {
  readonly ref?: Ref<HTMLAnchorElement>;
  readonly item: string;
  readonly isOpen: boolean;
  readonly name: ReactNode;
  readonly beside?: ReactNode;
};

function ItemAnchor({item, isOpen, name, beside, children, ...rest}: ItemProps) {
  return (
    <a {...rest} className="item" data-item={item} aria-current={isOpen ? 'true' : undefined}>
      <span className="item-head">
        <span className="item-name">{name}</span>
        {beside}
      </span>
      {children !== undefined && <span className="item-note">{children}</span>}
    </a>
  );
}
export const Item: LinkComponent<typeof ItemAnchor> = createLink(ItemAnchor);

type BackProps = AnchorHTMLAttributes<HTMLAnchorElement> & {
  readonly ref?: Ref<HTMLAnchorElement>;
};
const BackAnchor = ({children, ...rest}: BackProps) => (
  <a {...rest} className="split-back">
    <Icon name="left" /> {children}
  </a>
);
/** Back to the list: only where the list is not beside. */
export const BackLink: LinkComponent<typeof BackAnchor> = createLink(BackAnchor);

/** The head of what was opened. On a phone, where it takes the place of the list, it takes the focus. */
export function DetailHeader({
  title,
  beside,
  actions,
  back,
}: {
  readonly title: string;
  readonly beside?: ReactNode;
  readonly actions?: ReactNode;
  readonly back: ReactNode;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!globalThis.matchMedia('(max-width: 800px)').matches) return;
    heading.current?.focus({preventScroll: true});
    globalThis.scrollTo?.(0, 0);
  }, [title]);
  return (
    <header className="detail-header">
      {back}
      <div className="page-title">
        <h2 ref={heading} tabIndex={-1}>
          {title}
        </h2>
        {beside}
      </div>
      {actions && <div className="page-actions">{actions}</div>}
    </header>
  );
}
