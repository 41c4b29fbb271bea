import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {type Webhook, WebhookService} from '@muster/proto/gen/muster/v1/webhooks_pb.ts';
import {useNavigate} from '@tanstack/react-router';
import {useState} from 'react';
import {useAction} from '../../api/use-action.ts';
import {useReason} from '../../api/use-reason.ts';
import {Button, ButtonLink} from '../../ui/Button.tsx';
import {ConfirmDialog} from '../../ui/Dialog.tsx';
import {plural} from '../../ui/format.ts';
import {Menu} from '../../ui/Menu.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {RotateDialog} from './RotateDialog.tsx';
import {TestDialog} from './TestDialog.tsx';
import {WebhookDialog} from './WebhookDialog.tsx';

type Asked = 'change' | 'test' | 'rotate' | 'delete' | undefined;
type ActionProps = {readonly webhook: Webhook};

export function WebhookActions({webhook}: ActionProps) {
  const navigate = useNavigate();
  const disabledReason = useReason(Permission.ADMINISTER);
  const [asked, setAsked] = useState<Asked>();
  const close = () => setAsked(undefined);
  const enabled = useAction(WebhookService.method.updateWebhook, {attempt: 'change the webhook'});
  const setEnabled = (isOn: boolean) =>
    enabled.mutate({webhook: {id: webhook.id, enabled: isOn}, updateMask: {paths: ['enabled']}});
  return (
    <>
      <ButtonLink kind="quiet" icon="left" to="/webhooks">
        All webhooks
      </ButtonLink>
      <Button
        kind="primary"
        icon="play"
        disabledReason={disabledReason}
        onClick={() => setAsked('test')}
      >
        Send a test
      </Button>
      <Button disabledReason={disabledReason} onClick={() => setAsked('change')}>
        Change
      </Button>
      <Button
        icon={webhook.enabled ? 'pause' : 'check'}
        busy={enabled.isPending}
        disabledReason={disabledReason}
        onClick={() => setEnabled(!webhook.enabled)}
      >
        {webhook.enabled ? 'Disable' : 'Enable'}
      </Button>
      <Menu
        label="More"
        items={[
          {label: 'Change the secret', disabledReason, onSelect: () => setAsked('rotate')},
          {
            label: 'Delete',
            icon: 'trash',
            danger: true,
            disabledReason,
            onSelect: () => setAsked('delete'),
          },
        ]}
      />
      {asked === 'change' && (
        <WebhookDialog
          webhook={webhook}
          onClose={close}
          onSaved={name => void navigate({to: '/webhooks', search: {webhook: name}})}
        />
      )}
      {asked === 'test' && <TestDialog webhook={webhook} onClose={close} />}
      {asked === 'rotate' && <RotateDialog webhook={webhook} onClose={close} />}
      {asked === 'delete' && <DeleteDialog webhook={webhook} onClose={close} />}
    </>
  );
}

function DeleteDialog({webhook, onClose}: ActionProps & {readonly onClose: () => void}) {
  const navigate = useNavigate();
  const remove = useAction(WebhookService.method.deleteWebhook, {
    done: () => `Deleted webhook ${webhook.name}`,
    onDone: () => void navigate({to: '/webhooks'}),
  });
  return (
    <ConfirmDialog
      title={`Delete webhook ${webhook.name}?`}
      action={`Delete ${webhook.name}`}
      typeToConfirm={webhook.name}
      busy={remove.isPending}
      error={<ErrorState error={remove.error} attempt="delete the webhook" />}
      onConfirm={() => remove.mutate({id: webhook.id})}
      onClose={onClose}
    >
      <p>
        Its history goes with it, and {plural(webhook.pendingCount, 'delivery', 'deliveries')} that
        wait are never sent. To stop it for a while, disable it.
      </p>
    </ConfirmDialog>
  );
}
