import {useSyncExternalStore} from 'react';

let message = '';
const readers = new Set<() => void>();

/** Tells screen readers what happened, without moving the focus. */
export function announce(text: string): void {
  // The same text again would not be read: a no-break space makes it another one.
  message = text === message ? `${text} ` : text;
  for (const reader of readers) reader();
}

export function LiveRegion() {
  const text = useSyncExternalStore(
    reader => {
      readers.add(reader);
      return () => readers.delete(reader);
    },
    () => message,
  );
  return (
    <div className="visually-hidden" role="status" aria-live="polite">
      {text}
    </div>
  );
}
