import {type Rollout, RolloutService} from '@muster/proto/gen/muster/v1/rollouts_pb.ts';
import {useMutation} from '@connectrpc/connect-query';
import {useQueryClient} from '@tanstack/react-query';
import {useState} from 'react';
import {Checkbox, TextField} from '../../forms/fields.tsx';
import {ConfirmDialog} from '../../ui/Dialog.tsx';
import {plural} from '../../ui/format.ts';
import {ErrorState} from '../../ui/states.tsx';
import {showToast} from '../../ui/Toast.tsx';

const reasonCharactersMax = 1024;
type Props = {readonly rollout: Rollout; readonly onClose: () => void};

export function PauseDialog({rollout, onClose}: Props) {
  const queryClient = useQueryClient();
  const [reason, setReason] = useState('');
  const resume = useMutation(RolloutService.method.resumeRollout, {
    onSuccess: () => void queryClient.invalidateQueries(),
  });
  const pause = useMutation(RolloutService.method.pauseRollout, {
    onSuccess: () => {
      showToast('The roll-out is paused', {undo: () => resume.mutate({id: rollout.id})});
      void queryClient.invalidateQueries();
      onClose();
    },
  });
  return (
    <ConfirmDialog
      title="Pause this roll-out?"
      action="Pause it"
      busy={pause.isPending}
      error={<ErrorState error={pause.error} attempt="pause it" />}
      onConfirm={() => pause.mutate({id: rollout.id, reason})}
      onClose={onClose}
    >
      <p>
        Nothing further begins; machines that have begun go on to their end. It waits as long as you
        like.
      </p>
      <TextField
        label="Why, for those who look at it (may stay empty)"
        maxLength={reasonCharactersMax}
        value={reason}
        onChange={event => setReason(event.target.value)}
      />
    </ConfirmDialog>
  );
}

export function ResumeDialog({rollout, onClose}: Props) {
  const queryClient = useQueryClient();
  const [retryFailed, setRetryFailed] = useState(false);
  const resume = useMutation(RolloutService.method.resumeRollout, {
    onSuccess: () => {
      showToast('The roll-out goes on');
      void queryClient.invalidateQueries();
      onClose();
    },
  });
  const failed = rollout.operation?.children?.failed ?? 0;
  return (
    <ConfirmDialog
      title="Resume this roll-out?"
      action="Resume it"
      busy={resume.isPending}
      error={<ErrorState error={resume.error} attempt="resume it" />}
      onConfirm={() => resume.mutate({id: rollout.id, retryFailed})}
      onClose={onClose}
    >
      <p>
        It goes on in your name. What failed until now no longer counts: it halts again{' '}
        {rollout.maxFailures === 0
          ? 'at the first new failure'
          : `with more than ${plural(rollout.maxFailures, 'new failure')}`}
        .
      </p>
      {failed > 0 && (
        <Checkbox
          label={`Try the ${plural(failed, 'machine')} that failed again first`}
          checked={retryFailed}
          onChange={event => setRetryFailed(event.target.checked)}
        />
      )}
    </ConfirmDialog>
  );
}
