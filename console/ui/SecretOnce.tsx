import type {ReactNode} from 'react';
import {Button} from './Button.tsx';
import {CopyButton} from './CopyButton.tsx';
import {Dialog} from './Dialog.tsx';
import {Notice} from './states.tsx';
import './secret-once.css';

type SecretDialogProps = {
  readonly title: string;
  /** "the token" */
  readonly what: string;
  readonly secret: string;
  readonly children?: ReactNode;
  readonly onClose: () => void;
};

/** A secret that the server never shows again. Closed by its button only, so that no stray click loses it. */
export function SecretDialog({title, what, secret, children, onClose}: SecretDialogProps) {
  return (
    <Dialog
      title={title}
      onClose={() => undefined}
      actions={
        <Button kind="primary" onClick={onClose}>
          I have it
        </Button>
      }
    >
      <Notice tone="warn" icon="warning">
        <strong>Copy {what} now: it is not shown again.</strong>
      </Notice>
      <SecretText text={secret} what={what} />
      {children}
    </Dialog>
  );
}

export function SecretText({text, what}: {readonly text: string; readonly what: string}) {
  return (
    <div className="secret-once">
      <output aria-label={what}>
        <code>{text}</code>
      </output>
      <CopyButton text={text} what={what} />
    </div>
  );
}
