import {type ReactNode, useId} from 'react';
import {Button} from '../ui/Button.tsx';
import {Dialog} from '../ui/Dialog.tsx';
import {Form} from './Form.tsx';

type FormDialogProps = {
  readonly title: string;
  /** A verb: "Make the user". */
  readonly action: string;
  readonly busy: boolean;
  readonly onSubmit: () => void;
  readonly onClose: () => void;
  readonly wide?: boolean;
  /** What the server said, below the fields. */
  readonly error?: ReactNode;
  readonly children: ReactNode;
};

/** A form in a dialog: sent by its button or by Enter, left by "Cancel" or Esc. */
export function FormDialog(props: FormDialogProps) {
  const {title, action, busy, onSubmit, onClose, wide = false, error, children} = props;
  const id = useId();
  const submit = () => {
    if (!busy) onSubmit();
  };
  return (
    <Dialog
      title={title}
      onClose={onClose}
      wide={wide}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={id} kind="primary" busy={busy}>
            {action}
          </Button>
        </>
      }
    >
      <Form id={id} className={wide ? 'form wide' : 'form'} onSubmit={submit}>
        {children}
        {error}
      </Form>
    </Dialog>
  );
}
