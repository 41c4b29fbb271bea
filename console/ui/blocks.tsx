import {Fragment, type ReactNode} from 'react';
import './blocks.css';

/** A titled part of a page. */
export function Card({
  title,
  actions,
  children,
  flush = false,
}: {
  readonly title?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
  /** Its content reaches the border: tables and lists. */
  readonly flush?: boolean;
}) {
  return (
    <section className={flush ? 'card flush' : 'card'}>
      {title !== undefined && (
        <header>
          <h2>{title}</h2>
          {actions}
        </header>
      )}
      <div className="card-body">{children}</div>
    </section>
  );
}

export type Entry = readonly [key: string, value: ReactNode];

/** Names and values; entries without a value are left out. */
export function KeyValues({entries}: {readonly entries: readonly Entry[]}) {
  return (
    <dl className="key-values">
      {entries
        .filter(([, value]) => !isEmpty(value))
        .map(([key, value]) => (
          <Fragment key={key}>
            <dt>{key}</dt>
            <dd>{value}</dd>
          </Fragment>
        ))}
    </dl>
  );
}

const isEmpty = (value: ReactNode): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (Array.isArray(value) && value.length === 0);

/** Title, what stands beside it, and the actions of a page. */
export function PageHeader({
  title,
  beside,
  actions,
  children,
}: {
  readonly title: ReactNode;
  readonly beside?: ReactNode;
  readonly actions?: ReactNode;
  readonly children?: ReactNode;
}) {
  return (
    <header className="page-header">
      <div className="page-title">
        <h1 tabIndex={-1}>{title}</h1>
        {beside}
      </div>
      {actions && <div className="page-actions">{actions}</div>}
      {children}
    </header>
  );
}

export function ProgressBar({percent, label}: {readonly percent: number; readonly label: string}) {
  return (
    <progress className="progress" max={100} value={percent} aria-label={label}>
      {Math.round(percent)} %
    </progress>
  );
}

/** Holds the place of what is being loaded, so that nothing jumps. */
export function Skeleton({lines = 1}: {readonly lines?: number}) {
  return (
    <div className="skeleton" role="status" aria-label="Loading">
      {Array.from({length: lines}, (_, line) => (
        <div key={line} />
      ))}
    </div>
  );
}
