import {BootAction, BootService} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {useQuery, useMutation} from '@connectrpc/connect-query';
import {keepPreviousData, useQueryClient} from '@tanstack/react-query';
import {useNavigate} from '@tanstack/react-router';
import {useEffect, useState} from 'react';
import {useOperateReason} from '../../api/caller.ts';
import {Form} from '../../forms/Form.tsx';
import {Card, Skeleton} from '../../ui/blocks.tsx';
import {Button} from '../../ui/Button.tsx';
import {Icon} from '../../ui/icons.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {showToast} from '../../ui/Toast.tsx';
import {ImageLink} from '../images/ImageLink.tsx';
import {MachineLink} from '../machines/MachineLink.tsx';
import {useMachineName} from '../machines/use-machine-name.ts';
import {bootActionWord} from './boot-words.ts';
import {BootSessionRow} from './BootSessionRow.tsx';
import {OverrideDialog} from './OverrideDialog.tsx';
import '../../forms/fields.css';

const recentBoots = 3;

/** What a machine would get if it asked now, and every rule that was looked at. */
export function BootExplain({asked}: {readonly asked: string}) {
  const navigate = useNavigate({from: '/boot'});
  const [text, setText] = useState(asked);
  useEffect(() => setText(asked), [asked]);
  const submit = () =>
    void navigate({search: old => ({...old, explain: text.trim()}), resetScroll: false});
  return (
    <Card title="What would it boot, and why?">
      <Form className="boot-ask" onSubmit={submit} data-page-filter>
        <input
          className="input mono"
          aria-label="MAC, serial number, UUID or id of a machine"
          placeholder="MAC, serial number, UUID or id – known or not"
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          maxLength={128}
          value={text}
          onChange={event => setText(event.target.value)}
        />
        <Button
          type="submit"
          kind="primary"
          disabledReason={text.trim() === '' ? 'Type a MAC, a serial number or an id' : undefined}
        >
          Explain
        </Button>
      </Form>
      {asked !== '' && <Explanation key={asked} asked={asked} />}
    </Card>
  );
}

function Explanation({asked}: {readonly asked: string}) {
  const {data, error, isPending, refetch} = useQuery(
    BootService.method.explainBoot,
    {machine: asked},
    {placeholderData: keepPreviousData},
  );
  if (error)
    return (
      <ErrorState error={error} attempt={`explain “${asked}”`} onRetry={() => void refetch()} />
    );
  if (isPending) return <Skeleton lines={4} />;
  const {machineId, decision, considered} = data;
  return (
    <div className="boot-answer" aria-live="polite">
      <div className="boot-decision">
        <Icon name="boot" size={20} />
        <div>
          <strong>{bootActionWord(decision?.action ?? 0)}</strong>
          {decision?.action === BootAction.IMAGE && (
            <>
              {' '}
              <ImageLink id={decision.imageId} />
            </>
          )}
          <p>{decision?.reason}</p>
        </div>
        {machineId === '' ? (
          <span className="muted">Nobody knows this machine</span>
        ) : (
          <MachineLink id={machineId} />
        )}
      </div>
      <ol className="boot-rules" aria-label="Rules in order">
        {considered.map((rule, index) => {
          const [name = '', ...said] = rule.split(': ');
          const decides = index === considered.length - 1;
          return (
            <li key={rule} data-decides={decides || undefined}>
              <span>{name}</span>
              <span>{said.join(': ')}</span>
            </li>
          );
        })}
      </ol>
      {machineId !== '' && <OfMachine machineId={machineId} considered={considered} />}
    </div>
  );
}

function OfMachine({
  machineId,
  considered,
}: {
  readonly machineId: string;
  readonly considered: readonly string[];
}) {
  const [asks, setAsks] = useState(false);
  const name = useMachineName(machineId);
  const disabledReason = useOperateReason('any');
  const isSet = (rule: string) =>
    considered.some(line => line.startsWith(`${rule}: `) && !line.endsWith(': none is set'));
  const {data} = useQuery(BootService.method.listBootSessions, {machineId, pageSize: recentBoots});
  return (
    <>
      <div className="toolbar">
        <Button icon="boot" disabledReason={disabledReason} onClick={() => setAsks(true)}>
          Decide its next boot …
        </Button>
        {isSet('One-time override') && (
          <TakeBack machineId={machineId} persistent={false} disabledReason={disabledReason} />
        )}
        {isSet('Boot entry') && (
          <TakeBack machineId={machineId} persistent disabledReason={disabledReason} />
        )}
      </div>
      {data && data.bootSessions.length > 0 && (
        <section aria-label="Its latest boots">
          <h3>Its latest boots</h3>
          <ul className="boot-recent">
            {data.bootSessions.map(session => (
              <BootSessionRow key={session.id} session={session} />
            ))}
          </ul>
        </section>
      )}
      {asks && <OverrideDialog machineId={machineId} name={name} onClose={() => setAsks(false)} />}
    </>
  );
}

type TakeBackProps = {
  readonly machineId: string;
  readonly persistent: boolean;
  readonly disabledReason: string | undefined;
};

/** Takes a decision back: the state of the machine decides again. */
export function TakeBack({machineId, persistent, disabledReason}: TakeBackProps) {
  const queryClient = useQueryClient();
  const what = persistent ? 'boot entry' : 'one-time override';
  const clear = useMutation(BootService.method.clearBootOverride, {
    onSuccess: () => {
      showToast(`The ${what} is taken back`);
      void queryClient.invalidateQueries();
    },
  });
  return (
    <>
      <Button
        icon="undo"
        busy={clear.isPending}
        disabledReason={disabledReason}
        onClick={() => clear.mutate({machineId, persistent})}
      >
        Take the {what} back
      </Button>
      <ErrorState error={clear.error} attempt={`take the ${what} back`} />
    </>
  );
}
