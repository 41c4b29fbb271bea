import {type ReactNode, useEffect, useRef} from 'react';
import {IconButton} from './Button.tsx';
import './detail-pane.css';

type DetailPaneProps = {
  readonly title: ReactNode;
  /** What it tells of, for screen readers: "Issue". */
  readonly label: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
};

/** A list and, beside it, what one row is about. On a phone one takes the place of the other. */
export function Split({
  children,
  pane,
}: {
  readonly children: ReactNode;
  readonly pane: ReactNode | undefined;
}) {
  return (
    <div className="beside fill" data-open={pane ? '' : undefined}>
      <div className="beside-list">{children}</div>
      {pane}
    </div>
  );
}

/** Takes the focus when it was opened from the list, and gives it back when it is closed. Esc closes it. */
export function DetailPane({title, label, onClose, children}: DetailPaneProps) {
  const pane = useRef<HTMLElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    if (!(before instanceof HTMLElement) || !before.closest('main')) return undefined;
    pane.current?.focus({preventScroll: true});
    return () => before.focus({preventScroll: true});
  }, []);
  return (
    <aside
      ref={pane}
      className="pane"
      aria-label={label}
      tabIndex={-1}
      onKeyDown={event => {
        if (event.key === 'Escape' && !event.defaultPrevented) onClose();
      }}
    >
      <header>
        <h2>{title}</h2>
        <IconButton icon="close" label="Close" onClick={onClose} />
      </header>
      <div className="pane-body">{children}</div>
    </aside>
  );
}

export function PaneSection({
  title,
  actions,
  children,
}: {
  readonly title: string;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}) {
  return (
    <section className="pane-section">
      <div className="pane-section-head">
        <h3>{title}</h3>
        {actions}
      </div>
      {children}
    </section>
  );
}
