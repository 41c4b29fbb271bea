import {type ReactNode, useEffect, useSyncExternalStore} from 'react';
import {explainError} from '../api/errors.ts';
import {Button, IconButton} from './Button.tsx';
import {Icon} from './icons.tsx';
import './toast.css';

/** Long enough to read it and to press undo. */
const shownMs = 8_000;
const toastsMax = 4;

type Toast = {
  readonly id: number;
  readonly text: ReactNode;
  readonly tone: 'ok' | 'bad';
  readonly undo?: (() => void) | undefined;
};

let toasts: readonly Toast[] = [];
let lastId = 0;
const readers = new Set<() => void>();

function change(next: readonly Toast[]): void {
  toasts = next;
  for (const reader of readers) reader();
}
const dismiss = (id: number) => change(toasts.filter(toast => toast.id !== id));

/** Says what was done, and takes it back where that is possible. Failures stay until they are read. */
export function showToast(
  text: ReactNode,
  {tone = 'ok', undo}: {readonly tone?: 'ok' | 'bad'; readonly undo?: () => void} = {},
): void {
  lastId += 1;
  change([...toasts.slice(1 - toastsMax), {id: lastId, text, tone, undo}]);
}

/** Why something was not done, where no form is there to say it. `attempt` completes "Cannot …". */
export function showFailure(error: unknown, attempt: string): void {
  const {title, message} = explainError(error, attempt);
  showToast(`${title}: ${message}`, {tone: 'bad'});
}

export function Toasts() {
  const shown = useSyncExternalStore(
    reader => {
      readers.add(reader);
      return () => readers.delete(reader);
    },
    () => toasts,
  );
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map(toast => (
        <ToastBox key={toast.id} toast={toast} />
      ))}
    </div>
  );
}

function ToastBox({toast: {id, text, tone, undo}}: {readonly toast: Toast}) {
  useEffect(() => {
    if (tone === 'bad') return undefined;
    const timer = setTimeout(() => dismiss(id), shownMs);
    return () => clearTimeout(timer);
  }, [id, tone]);
  return (
    <div className={`toast tone-${tone}`}>
      <Icon name={tone === 'ok' ? 'check' : 'warning'} />
      <div>{text}</div>
      {undo && (
        <Button
          kind="quiet"
          icon="undo"
          onClick={() => {
            dismiss(id);
            undo();
          }}
        >
          Undo
        </Button>
      )}
      <IconButton icon="close" label="Dismiss" onClick={() => dismiss(id)} />
    </div>
  );
}
