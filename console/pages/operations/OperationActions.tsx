import {type Operation, OperationService} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {
  type Rollout,
  Rollout_State as State,
  RolloutService,
} from '@muster/proto/gen/muster/v1/rollouts_pb.ts';
import {useMutation} from '@connectrpc/connect-query';
import {useQueryClient} from '@tanstack/react-query';
import {useState} from 'react';
import {useOperateReason} from '../../api/caller.ts';
import {Button} from '../../ui/Button.tsx';
import {ConfirmDialog} from '../../ui/Dialog.tsx';
import {plural} from '../../ui/format.ts';
import {ErrorState} from '../../ui/states.tsx';
import {showToast} from '../../ui/Toast.tsx';
import {isLive} from '../builds/build-words.ts';
import {PauseDialog, ResumeDialog} from './RolloutDialogs.tsx';

type Asked = 'cancel' | 'pause' | 'resume' | undefined;
type Props = {readonly operation: Operation; readonly rollout: Rollout | undefined};

export function OperationActions({operation, rollout}: Props) {
  const [asked, setAsked] = useState<Asked>();
  const disabledReason = useOperateReason();
  if (!isLive(operation)) return null;
  const close = () => setAsked(undefined);
  const isHeld = rollout?.state === State.HALTED || rollout?.state === State.PAUSED;
  return (
    <>
      {rollout && isHeld && (
        <Button
          kind="primary"
          icon="play"
          disabledReason={disabledReason}
          onClick={() => setAsked('resume')}
        >
          Resume …
        </Button>
      )}
      {rollout && !isHeld && (
        <Button icon="pause" disabledReason={disabledReason} onClick={() => setAsked('pause')}>
          Pause …
        </Button>
      )}
      <Button
        icon="cross"
        busy={operation.cancelRequested}
        disabledReason={disabledReason}
        onClick={() => setAsked('cancel')}
      >
        {operation.cancelRequested ? 'Is being cancelled' : 'Cancel …'}
      </Button>
      {asked === 'cancel' && <CancelDialog operation={operation} onClose={close} />}
      {asked === 'pause' && rollout && <PauseDialog rollout={rollout} onClose={close} />}
      {asked === 'resume' && rollout && <ResumeDialog rollout={rollout} onClose={close} />}
    </>
  );
}

function CancelDialog({
  operation: {id, kind, children},
  onClose,
}: {
  readonly operation: Operation;
  readonly onClose: () => void;
}) {
  const queryClient = useQueryClient();
  const done = {
    onSuccess: () => {
      showToast('Nothing further begins');
      void queryClient.invalidateQueries();
      onClose();
    },
  };
  const operation = useMutation(OperationService.method.cancelOperation, done);
  const rollout = useMutation(RolloutService.method.cancelRollout, done);
  const cancel = kind === 'rollout' ? rollout : operation;
  return (
    <ConfirmDialog
      title={kind === 'rollout' ? 'Cancel this roll-out?' : 'Cancel this operation?'}
      action="Cancel it"
      busy={cancel.isPending}
      error={<ErrorState error={cancel.error} attempt="cancel it" />}
      onConfirm={() => cancel.mutate({id})}
      onClose={onClose}
    >
      <p>
        {children && children.queued > 0
          ? `${plural(children.queued, 'machine')} that ${children.queued === 1 ? 'has' : 'have'} not begun will not be touched.`
          : 'Every machine has begun already.'}{' '}
        Builds under way are cancelled; a machine that was told to reboot reboots.
      </p>
      <p>What is done stays done, and a cancelled operation cannot be resumed.</p>
    </ConfirmDialog>
  );
}
