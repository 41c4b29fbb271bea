import type {ReactNode} from 'react';
import {PageHeader, Skeleton} from './blocks.tsx';
import {Icon} from './icons.tsx';
import {Loading} from './Loading.tsx';

// Every page has one title, whatever its state: that is where people are who listen to it.

/** In place of a page whose subject is not there: what was asked for, and where to go instead. */
export function MissingPage({
  title,
  children,
}: {
  readonly title: string;
  readonly children: ReactNode;
}) {
  return (
    <div className="state-page">
      <Icon name="question" size={24} />
      <h1 tabIndex={-1}>{title}</h1>
      {children}
    </div>
  );
}

/** In place of a page whose subject is being loaded, or could not be. */
export function AwaitedPage({
  title,
  error,
  attempt,
  onRetry,
}: {
  /** What kind of page it will be: "Machine". */
  readonly title: string;
  readonly error: unknown;
  /** "load the machine" */
  readonly attempt: string;
  readonly onRetry: () => unknown;
}) {
  return (
    <div className="page">
      <PageHeader title={title} />
      <Loading error={error} attempt={attempt} refetch={onRetry} lines={8} />
    </div>
  );
}

/** Its code or its first answer has not come yet. */
export const LoadingPage = () => (
  <div className="page">
    <PageHeader title="Loading" />
    <Skeleton lines={8} />
  </div>
);
