import type {
  PendingMachine,
  PendingMachine_LookAlike as LookAlike,
} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import {type Machine, MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {Link, useNavigate} from '@tanstack/react-router';
import {useState} from 'react';
import {useOperateReason} from '../../api/caller.ts';
import {Badge, StateBadge} from '../../ui/Badge.tsx';
import {Card} from '../../ui/blocks.tsx';
import {Button, ButtonLink} from '../../ui/Button.tsx';
import {Loading} from '../../ui/Loading.tsx';
import type {Look} from '../../ui/tones.ts';
import {machineName} from '../machines/machine-name.ts';
import {MachinePicker} from '../machines/MachinePicker.tsx';
import {CompareTable} from './CompareTable.tsx';
import {Reasons} from './IdentityCard.tsx';
import {MergeDialog} from './MergeDialog.tsx';

const alikeLook = (score: number): Look =>
  score > 0
    ? {word: `${score} points alike`, tone: 'warn', icon: 'warning'}
    : {word: `${score} points: rather not`.replace('-', '−'), tone: 'idle', icon: 'dash'};

type CardProps = {
  readonly pending: PendingMachine;
  readonly machine: Machine;
  /** The id of the machine that is shown beside it. */
  readonly beside: string | undefined;
};

/** Is it one that is known already? */
export function LookAlikesCard({pending, machine, beside}: CardProps) {
  const navigate = useNavigate();
  const {lookAlikes} = pending;
  const isOther = beside !== undefined && lookAlikes.every(({machineId}) => machineId !== beside);
  return (
    <Card title="Looks like">
      <div className="look-alikes">
        {lookAlikes.length === 0 && (
          <p>No other machine has a serial number, UUID, MAC or part in common with it.</p>
        )}
        {lookAlikes.map(alike => (
          <LookAlikeRow
            key={alike.machineId}
            alike={alike}
            machine={machine}
            isOpen={alike.machineId === beside}
          />
        ))}
        {isOther && <Comparison machine={machine} otherId={beside} />}
        <MachinePicker
          label="Compare with another machine"
          placeholder="Compare with another: host name, serial, MAC …"
          onPick={({id}) =>
            void navigate({
              to: '/pending',
              search: {machine: machine.id, with: id},
              resetScroll: false,
            })
          }
        />
      </div>
    </Card>
  );
}

function LookAlikeRow({
  alike,
  machine,
  isOpen,
}: {
  readonly alike: LookAlike;
  readonly machine: Machine;
  readonly isOpen: boolean;
}) {
  const {machineId, name, state, score, reasons} = alike;
  return (
    <div className="look-alike">
      <div className="look-alike-head">
        <Link to="/machines/$id" params={{id: machineId}}>
          {name}
        </Link>
        <StateBadge value={state} />
        <Badge look={alikeLook(score)} />
        <ButtonLink
          to="/pending"
          search={{machine: machine.id, with: isOpen ? undefined : machineId}}
          resetScroll={false}
          aria-expanded={isOpen}
        >
          {isOpen ? 'Close' : 'Compare'}
        </ButtonLink>
      </div>
      <Reasons reasons={reasons} label={`What speaks for and against ${name}`} />
      {isOpen && <Comparison machine={machine} otherId={machineId} />}
    </div>
  );
}

function Comparison({machine, otherId}: {readonly machine: Machine; readonly otherId: string}) {
  const {data, error, refetch} = useQuery(MachineService.method.getMachine, {id: otherId});
  const [merging, setMerging] = useState(false);
  const reason = useOperateReason();
  const other = data?.machine;
  if (!other) return <Loading error={error} refetch={refetch} attempt="load the other" lines={5} />;
  return (
    <div className="comparison">
      <CompareTable left={machine} right={other} />
      <div className="form-actions">
        <Button disabledReason={reason} onClick={() => setMerging(true)}>
          It is {machineName(other)}: merge…
        </Button>
      </div>
      {merging && <MergeDialog machine={machine} other={other} onClose={() => setMerging(false)} />}
    </div>
  );
}
