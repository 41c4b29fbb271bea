import {type Webhook, WebhookService} from '@muster/proto/gen/muster/v1/webhooks_pb.ts';
import {useState} from 'react';
import {useAction} from '../../api/use-action.ts';
import {SelectField} from '../../forms/fields.tsx';
import {ConfirmDialog} from '../../ui/Dialog.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {SecretDialog} from '../../ui/SecretOnce.tsx';
import {ErrorState} from '../../ui/states.tsx';

const hourSeconds = 3600;
const keepings = [
  {value: '0', label: 'ends now (it has leaked)'},
  {value: String(hourSeconds), label: 'signs as well for an hour'},
  {value: String(24 * hourSeconds), label: 'signs as well for a day'},
  {value: String(7 * 24 * hourSeconds), label: 'signs as well for a week'},
];

type RotateDialogProps = {readonly webhook: Webhook; readonly onClose: () => void};

export function RotateDialog({webhook, onClose}: RotateDialogProps) {
  const [keepOldSeconds, setKeepOldSeconds] = useState(24 * hourSeconds);
  const rotate = useAction(WebhookService.method.rotateWebhookSecret);
  if (rotate.data) {
    const endTime = rotate.data.webhook?.oldSecretEndTime;
    return (
      <SecretDialog
        title={`New secret of ${webhook.name}`}
        what="the secret"
        secret={rotate.data.secret}
        onClose={onClose}
      >
        <p>
          {endTime ? (
            <>
              Both sign until the old one ends <RelativeTime time={endTime} />: change the receiver
              before that.
            </>
          ) : (
            'The old one is worth nothing any more: change the receiver now.'
          )}
        </p>
      </SecretDialog>
    );
  }
  return (
    <ConfirmDialog
      title={`Change the secret of ${webhook.name}?`}
      action="Make a new secret"
      busy={rotate.isPending}
      error={<ErrorState error={rotate.error} attempt="change the secret" />}
      onConfirm={() => rotate.mutate({id: webhook.id, keepOldSeconds})}
      onClose={onClose}
    >
      <p>A new secret is made and shown once.</p>
      <SelectField
        label="The present one"
        choices={keepings}
        value={keepOldSeconds}
        onChange={event => setKeepOldSeconds(Number(event.target.value))}
      />
    </ConfirmDialog>
  );
}
