import {BootAction as Action, BootService} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import type {Machine} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {createConnectQueryKey, useMutation, useQuery} from '@connectrpc/connect-query';
import {useQueryClient} from '@tanstack/react-query';
import {useState} from 'react';
import {useOperateReason} from '../../api/caller.ts';
import {Checkbox, SelectField, TextField} from '../../forms/fields.tsx';
import {Card, Skeleton} from '../../ui/blocks.tsx';
import {Button} from '../../ui/Button.tsx';
import {ErrorState, Notice} from '../../ui/states.tsx';
import {showToast} from '../../ui/Toast.tsx';
import {ImageLink} from '../images/ImageLink.tsx';

const actionWords: Readonly<Record<number, string>> = {
  [Action.REGISTRATION]: 'The registration image',
  [Action.IMAGE]: 'An image',
  [Action.LOCAL_DISK]: 'Its local disk',
  [Action.RETRY]: 'Nothing: it waits and asks again',
};
const choices = [
  {value: String(Action.REGISTRATION), label: 'Registration image'},
  {value: String(Action.IMAGE), label: 'An image …'},
  {value: String(Action.LOCAL_DISK), label: 'Local disk'},
] as const;

/** What it would boot now, every rule that was asked, and how to decide otherwise. */
export function BootDecisionCard({machine}: {readonly machine: Machine}) {
  const {data, error, refetch} = useQuery(BootService.method.explainBoot, {machine: machine.id});
  const decision = data?.decision;
  return (
    <Card title="What it boots next">
      <ErrorState error={error} attempt="explain it" onRetry={() => void refetch()} />
      {!data && !error && <Skeleton lines={4} />}
      {decision && (
        <div className="prose">
          <p>
            <strong>{actionWords[decision.action] ?? 'Unknown'}</strong>
            {decision.imageId && (
              <>
                {' '}
                <ImageLink id={decision.imageId} />
              </>
            )}
            : {decision.reason}
          </p>
          <h3>Asked in this order</h3>
          <ol className="considered">
            {data.considered.map(line => (
              <li key={line}>{line}</li>
            ))}
          </ol>
        </div>
      )}
      <Override machine={machine} />
    </Card>
  );
}

function Override({machine}: {readonly machine: Machine}) {
  const [action, setAction] = useState<string>(choices[0].value);
  const [imageId, setImageId] = useState(machine.lastGoodImageId);
  const [persistent, setPersistent] = useState(false);
  const mayNot = useOperateReason(machine.workspaceId);
  const queryClient = useQueryClient();
  const again = () =>
    void queryClient.invalidateQueries({
      queryKey: createConnectQueryKey({schema: BootService, cardinality: undefined}),
    });
  const clear = useMutation(BootService.method.clearBootOverride, {onSuccess: again});
  const set = useMutation(BootService.method.setBootOverride, {
    onSuccess: () => {
      again();
      showToast(persistent ? 'Its boot entry is set' : 'Its next boot is decided', {
        undo: () => clear.mutate({machineId: machine.id, persistent}),
      });
    },
  });
  const isImage = action === String(Action.IMAGE);
  return (
    <div className="form override">
      <h3>Decide otherwise</h3>
      <SelectField
        label="It shall boot"
        choices={choices}
        value={action}
        onChange={event => setAction(event.target.value)}
      />
      {isImage && (
        <TextField
          label="Image"
          hint="Its whole id; the Images tab has those of this machine"
          value={imageId}
          onChange={event => setImageId(event.target.value)}
        />
      )}
      <Checkbox
        label="At every boot, until it is cleared"
        checked={persistent}
        onChange={event => setPersistent(event.target.checked)}
      />
      {!persistent && (
        <Notice tone="info" icon="info">
          Counts for the next boot only, and is used up by the hello of that boot.
        </Notice>
      )}
      <ErrorState error={set.error} attempt="decide its boot" />
      <ErrorState error={clear.error} attempt="clear it" />
      <div className="form-actions">
        <Button
          disabledReason={mayNot}
          busy={clear.isPending}
          onClick={() =>
            clear.mutate(
              {machineId: machine.id, persistent},
              {onSuccess: () => showToast(persistent ? 'Boot entry cleared' : 'Override cleared')},
            )
          }
        >
          Clear
        </Button>
        <Button
          kind="primary"
          disabledReason={mayNot ?? (isImage && imageId === '' ? 'Say which image' : undefined)}
          busy={set.isPending}
          onClick={() =>
            set.mutate({
              machineId: machine.id,
              action: Number(action) as Action,
              imageId: isImage ? imageId : '',
              persistent,
            })
          }
        >
          Set
        </Button>
      </div>
    </div>
  );
}
