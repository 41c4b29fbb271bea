import type {ReactNode} from 'react';
import {ErrorState, Notice} from '../ui/states.tsx';
import './form-parts.css';

/** Always in sight, however long the form is: its buttons, and why it was not saved. */
export function FormFooter({
  error,
  attempt,
  hasMistakes,
  children,
}: {
  /** What the server said. */
  readonly error: unknown;
  readonly attempt: string;
  /** Somebody tried, and fields are marked. */
  readonly hasMistakes: boolean;
  readonly children: ReactNode;
}) {
  return (
    <div className="form-footer">
      <ErrorState error={error} attempt={attempt} />
      {hasMistakes && (
        <Notice tone="bad" icon="warning">
          Not sent: look at the fields that are marked.
        </Notice>
      )}
      <div className="form-actions">{children}</div>
    </div>
  );
}
