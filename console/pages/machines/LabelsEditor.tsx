import {type Machine, MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {useMutation} from '@connectrpc/connect-query';
import {Link} from '@tanstack/react-router';
import {useState} from 'react';
import {useOperateReason} from '../../api/caller.ts';
import {Form} from '../../forms/Form.tsx';
import {quoted} from '../../table/filter-completion.ts';
import {Card} from '../../ui/blocks.tsx';
import {Button, IconButton} from '../../ui/Button.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {showToast} from '../../ui/Toast.tsx';
import {parseLabels} from '../../forms/lines.ts';
import {useMachineKeeper} from './use-update-machine.ts';

export function LabelsEditor({machine}: {readonly machine: Machine}) {
  const {id, labels} = machine;
  const [text, setText] = useState('');
  const mayNot = useOperateReason(machine.workspaceId);
  const keep = useMachineKeeper();
  const label = useMutation(MachineService.method.labelMachine, {
    onSuccess: ({machine}) => keep(machine),
  });
  const parsed = parseLabels(text, ',');
  const add = () => {
    if (!parsed.mistake && Object.keys(parsed.labels).length > 0)
      label.mutate({id, set: parsed.labels}, {onSuccess: () => setText('')});
  };
  const remove = (key: string, value: string) =>
    label.mutate(
      {id, remove: [key]},
      {
        onSuccess: () =>
          showToast(`Removed ${key}=${value}`, {
            undo: () => label.mutate({id, set: {[key]: value}}),
          }),
      },
    );
  return (
    <Card title="Labels">
      <div className="labels">
        {Object.entries(labels).map(([key, value]) => (
          <span key={key} className="label">
            <Link to="/machines" search={{filter: `labels.${key} = ${quoted(value)}`}}>
              {key}={value}
            </Link>
            {mayNot === undefined && (
              <IconButton icon="close" label={`Remove ${key}`} onClick={() => remove(key, value)} />
            )}
          </span>
        ))}
        {Object.keys(labels).length === 0 && <span className="muted">None</span>}
      </div>
      {mayNot === undefined && (
        <Form className="toolbar" onSubmit={add}>
          <input
            className="input label-input"
            aria-label="Labels to set, as KEY=VALUE"
            placeholder="rack=r7"
            value={text}
            onChange={event => setText(event.target.value)}
          />
          <Button type="submit" busy={label.isPending}>
            Set
          </Button>
        </Form>
      )}
      {text.includes('=') && parsed.mistake && <p className="mistake">{parsed.mistake}</p>}
      <ErrorState error={label.error} attempt="change the labels" />
    </Card>
  );
}
