import type {ReactNode} from 'react';
import {explainError} from '../api/errors.ts';
import {Button} from './Button.tsx';
import {Icon, type IconName} from './icons.tsx';
import type {Tone} from './tones.ts';

/** Nothing is there: says why, and what makes something. */
export function EmptyState({
  icon = 'dash',
  title,
  children,
}: {
  readonly icon?: IconName;
  readonly title: string;
  readonly children?: ReactNode;
}) {
  return (
    <div className="state-page">
      <Icon name={icon} size={24} />
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** What was attempted, what went wrong, what to do; nothing while nothing went wrong. */
export function ErrorState({
  error,
  attempt,
  onRetry,
}: {
  /** Of a query or of a change: null or undefined while there is none. */
  readonly error: unknown;
  /** "load the machines" */
  readonly attempt: string;
  readonly onRetry?: (() => void) | undefined;
}) {
  if (error === null || error === undefined) return null;
  const {title, message, canRetry} = explainError(error, attempt);
  return (
    <Notice tone="bad" icon="warning">
      <strong>{title}</strong>
      <p>{message}</p>
      {onRetry && canRetry && (
        <Button icon="refresh" onClick={onRetry}>
          Try again
        </Button>
      )}
    </Notice>
  );
}

export function Notice({
  tone,
  icon,
  children,
}: {
  readonly tone: Tone;
  readonly icon: IconName;
  readonly children: ReactNode;
}) {
  return (
    <div className={`notice tone-${tone}`} role={tone === 'bad' ? 'alert' : 'note'}>
      <Icon name={icon} />
      <div>{children}</div>
    </div>
  );
}
