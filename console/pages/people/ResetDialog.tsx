import {type User, UserService} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {useAction} from '../../api/use-action.ts';
import {CommandLine} from '../../ui/CommandLine.tsx';
import {CopyButton} from '../../ui/CopyButton.tsx';
import {ConfirmDialog} from '../../ui/Dialog.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {SecretDialog} from '../../ui/SecretOnce.tsx';
import {ErrorState} from '../../ui/states.tsx';

type ResetDialogProps = {readonly user: User; readonly onClose: () => void};

/** Makes a code for one new password, and shows it once. */
export function ResetDialog({user, onClose}: ResetDialogProps) {
  const reset = useAction(UserService.method.createPasswordReset);
  if (reset.data) {
    const link = `${globalThis.location.origin}/reset?user=${user.username}#${reset.data.code}`;
    return (
      <SecretDialog
        title={`A code for ${user.username}`}
        what="the code"
        secret={reset.data.code}
        onClose={onClose}
      >
        <p>
          It works once and ends <RelativeTime time={reset.data.expireTime} />; the old password
          counts until it is used. They enter it at <code>{globalThis.location.origin}/reset</code>,
          or open the link that holds it. <CopyButton text={link} what="the link" />
        </p>
        <p>On the command line, it is asked for by</p>
        <CommandLine command="muster password reset" />
      </SecretDialog>
    );
  }
  return (
    <ConfirmDialog
      title={`Reset the password of ${user.username}?`}
      action="Make a code"
      busy={reset.isPending}
      error={<ErrorState error={reset.error} attempt="make a code" />}
      onConfirm={() => reset.mutate({id: user.username})}
      onClose={onClose}
    >
      <p>
        This makes a code for one new password, within an hour; older codes end. Give it to{' '}
        {user.username} by a way that nobody else reads. When it is used, all their sessions end.
      </p>
    </ConfirmDialog>
  );
}
