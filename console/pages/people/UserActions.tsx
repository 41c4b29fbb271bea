import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {TokenService} from '@muster/proto/gen/muster/v1/tokens_pb.ts';
import {type User, UserService} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {useState} from 'react';
import {useAction} from '../../api/use-action.ts';
import {useReason} from '../../api/use-reason.ts';
import {Button} from '../../ui/Button.tsx';
import {PaneSection} from '../../ui/DetailPane.tsx';
import {ConfirmDialog} from '../../ui/Dialog.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {ResetDialog} from './ResetDialog.tsx';

type UserActionsProps = {
  readonly user: User;
  readonly isMe: boolean;
  readonly onGone: () => void;
};
type Asked = 'disable' | 'reset' | 'delete' | undefined;

export function UserActions({user, isMe, onGone}: UserActionsProps) {
  const reason = useReason(Permission.ADMINISTER);
  const [asked, setAsked] = useState<Asked>();
  const close = () => setAsked(undefined);
  const enable = useAction(UserService.method.updateUser, {
    attempt: `enable ${user.username}`,
    done: () => `${user.username} may sign in again`,
  });
  const own = isMe ? 'This is you; another administrator can do it' : undefined;
  return (
    <PaneSection title="Access">
      <div className="pane-actions">
        {!user.external && (
          <Button disabledReason={reason} onClick={() => setAsked('reset')}>
            Reset the password
          </Button>
        )}
        {user.disabled ? (
          <Button
            icon="check"
            busy={enable.isPending}
            disabledReason={reason}
            onClick={() => enable.mutate({id: user.username, disabled: false})}
          >
            Enable
          </Button>
        ) : (
          <Button disabledReason={reason ?? own} onClick={() => setAsked('disable')}>
            Disable
          </Button>
        )}
        <Button
          kind="danger"
          icon="trash"
          disabledReason={reason ?? own}
          onClick={() => setAsked('delete')}
        >
          Delete
        </Button>
      </div>
      {asked === 'disable' && <DisableDialog user={user} onClose={close} />}
      {asked === 'reset' && <ResetDialog user={user} onClose={close} />}
      {asked === 'delete' && <DeleteDialog user={user} onClose={close} onGone={onGone} />}
    </PaneSection>
  );
}

type UserDialogProps = {readonly user: User; readonly onClose: () => void};

function DisableDialog({user, onClose}: UserDialogProps) {
  const update = useAction(UserService.method.updateUser, {
    done: () => `${user.username} is disabled`,
    onDone: onClose,
    also: [SessionService],
  });
  return (
    <ConfirmDialog
      title={`Disable ${user.username}?`}
      action={`Disable ${user.username}`}
      busy={update.isPending}
      error={<ErrorState error={update.error} attempt="disable the user" />}
      onConfirm={() => update.mutate({id: user.username, disabled: true})}
      onClose={onClose}
    >
      <p>
        All sessions end at once, open pages within 10 seconds. Tokens are refused until{' '}
        {user.username} is enabled again; sessions do not come back.
      </p>
    </ConfirmDialog>
  );
}

function DeleteDialog({user, onClose, onGone}: UserDialogProps & {readonly onGone: () => void}) {
  const remove = useAction(UserService.method.deleteUser, {
    done: () => `Deleted ${user.username}`,
    onDone: onGone,
    also: [SessionService, TokenService],
  });
  return (
    <ConfirmDialog
      title={`Delete ${user.username}?`}
      action={`Delete ${user.username}`}
      typeToConfirm={user.username}
      busy={remove.isPending}
      error={<ErrorState error={remove.error} attempt="delete the user" />}
      onConfirm={() => remove.mutate({id: user.username})}
      onClose={onClose}
    >
      <p>
        With their sessions, API tokens and roles. It cannot be undone; what they did stays in the
        audit. To keep them out for a while, disable them.
      </p>
    </ConfirmDialog>
  );
}
