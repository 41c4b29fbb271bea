import {type ReactNode, useEffect, useId, useRef, useState} from 'react';
import {Button, IconButton} from './Button.tsx';
import './dialog.css';

type DialogProps = {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly actions?: ReactNode;
  readonly wide?: boolean;
};

/** The browser's own modal dialog: it keeps the focus inside, closes by Esc and gives the focus back. Rendered only while it is open. */
export function Dialog({title, onClose, children, actions, wide = false}: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    if (dialog && !dialog.open) dialog.showModal();
    // Not the button that closes it, which comes first in the document.
    dialog?.querySelector<HTMLElement>('.dialog-body :is(input, select, textarea)')?.focus();
    return () => {
      dialog?.close();
      // It has left the document by now, so that the browser gives the focus to nobody.
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      className={wide ? 'dialog wide' : 'dialog'}
      aria-labelledby={id}
      onCancel={event => {
        event.preventDefault();
        onClose();
      }}
      onClick={event => {
        if (event.target === ref.current) onClose();
      }}
      onKeyDown={event => event.stopPropagation()}
    >
      <div className="dialog-box">
        <header>
          <h2 id={id}>{title}</h2>
          <IconButton icon="close" label="Close" onClick={onClose} />
        </header>
        <div className="dialog-body">{children}</div>
        {actions && <footer className="form-actions">{actions}</footer>}
      </div>
    </dialog>
  );
}

type ConfirmProps = {
  readonly title: string;
  /** What will happen, to what, and whether it can be undone. */
  readonly children: ReactNode;
  /** A verb: "Delete 3 machines". */
  readonly action: string;
  /** When it cannot be undone: the text that has to be typed. */
  readonly typeToConfirm?: string;
  readonly busy?: boolean;
  /** Why it cannot be confirmed yet. */
  readonly disabledReason?: string | undefined;
  readonly error?: ReactNode;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
};

/** Asks in proportion to the consequence: one click, or the name typed in. */
export function ConfirmDialog(props: ConfirmProps) {
  const {title, children, action, typeToConfirm, busy = false, error, onConfirm, onClose} = props;
  const [typed, setTyped] = useState('');
  const id = useId();
  const missing = typeToConfirm !== undefined && typed.trim() !== typeToConfirm;
  return (
    <Dialog
      title={title}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Keep things as they are</Button>
          <Button
            kind={typeToConfirm === undefined ? 'primary' : 'danger'}
            busy={busy}
            disabledReason={
              props.disabledReason ?? (missing ? `Type "${typeToConfirm}" first` : undefined)
            }
            onClick={onConfirm}
          >
            {action}
          </Button>
        </>
      }
    >
      <div className="prose">{children}</div>
      {typeToConfirm !== undefined && (
        <div className="field">
          <label htmlFor={id}>
            Type <strong className="mono">{typeToConfirm}</strong> to go on
          </label>
          <input
            id={id}
            className="input"
            autoComplete="off"
            spellCheck={false}
            value={typed}
            onChange={event => setTyped(event.target.value)}
            onKeyDown={event => {
              if (event.key === 'Enter' && !missing && !busy && !props.disabledReason) onConfirm();
            }}
          />
        </div>
      )}
      {error}
    </Dialog>
  );
}
