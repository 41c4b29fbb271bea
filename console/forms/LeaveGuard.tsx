import {useBlocker} from '@tanstack/react-router';
import {ConfirmDialog} from '../ui/Dialog.tsx';

/** What was typed is not lost by a click beside it. */
export function LeaveGuard({isDirty}: {readonly isDirty: boolean}) {
  const blocker = useBlocker({
    shouldBlockFn: () => isDirty,
    enableBeforeUnload: isDirty,
    withResolver: true,
  });
  if (blocker.status !== 'blocked') return null;
  return (
    <ConfirmDialog
      title="Leave without saving?"
      action="Drop the changes"
      onConfirm={blocker.proceed}
      onClose={blocker.reset}
    >
      <p>What you changed in this form is not saved yet.</p>
    </ConfirmDialog>
  );
}
