import {
  DiscoveryService,
  type GetMachineEvidenceResponse as Evidence,
} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import {type Machine, MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {Code} from '@connectrpc/connect';
import {skipToken, useQuery} from '@connectrpc/connect-query';
import {useNavigate, useParams, useSearch} from '@tanstack/react-router';
import {useMemo, useState} from 'react';
import {useOperateReason} from '../../../api/caller.ts';
import {isCode} from '../../../api/errors.ts';
import {StateBadge} from '../../../ui/Badge.tsx';
import {PageHeader} from '../../../ui/blocks.tsx';
import {Button, ButtonLink} from '../../../ui/Button.tsx';
import {CommandLine} from '../../../ui/CommandLine.tsx';
import {AwaitedPage, MissingPage} from '../../../ui/page-states.tsx';
import {Notice} from '../../../ui/states.tsx';
import {BackToMachines} from '../MachineActions.tsx';
import {machineName} from '../machine-name.ts';
import {BoxesCard} from './BoxesCard.tsx';
import {EvidenceCard} from './EvidenceCard.tsx';
import {boxesOf, splitProblem, takenOf, takeText} from './evidence.ts';
import {SidesCards} from './SidesCards.tsx';
import {SplitDialog} from './SplitDialog.tsx';
import './split.css';

/** One record has swallowed two boxes: which of what it is recognised by belongs to the other? */
export function SplitPage() {
  const {id} = useParams({from: '/shell/machines/$id/split'});
  const {data, error, refetch} = useQuery(MachineService.method.getMachine, {id});
  const machine = data?.machine;
  // The address may name it by serial number or MAC.
  const evidence = useQuery(
    DiscoveryService.method.getMachineEvidence,
    machine ? {id: machine.id} : skipToken,
  );
  if (isCode(error, Code.NotFound))
    return (
      <MissingPage title={`No machine is called “${id}”`}>
        <p>It may have been deleted, or merged with another one.</p>
        <BackToMachines />
      </MissingPage>
    );
  if (!machine || !evidence.data)
    return (
      <AwaitedPage
        title="Split a record"
        error={error ?? evidence.error}
        attempt="load what it is recognised by"
        onRetry={() => {
          void refetch();
          void evidence.refetch();
        }}
      />
    );
  return <LoadedSplit machine={machine} evidence={evidence.data} />;
}

type LoadedProps = {readonly machine: Machine; readonly evidence: Evidence};

function LoadedSplit({machine, evidence}: LoadedProps) {
  const {take} = useSearch({from: '/shell/machines/$id/split'});
  const navigate = useNavigate({from: '/machines/$id/split'});
  const reason = useOperateReason();
  const [asks, setAsks] = useState(false);
  const {items} = evidence;
  const boxes = useMemo(() => boxesOf(evidence), [evidence]);
  const taken = takenOf(items, take);
  const setTaken = (next: ReadonlySet<string>) =>
    void navigate({search: {take: takeText(next)}, replace: true, resetScroll: false});
  const name = machineName(machine);
  return (
    <div className="page">
      <PageHeader
        title={`Split ${name}`}
        beside={<StateBadge value={machine.state} />}
        actions={
          <ButtonLink to="/machines/$id" params={{id: machine.id}} icon="left">
            {name}
          </ButtonLink>
        }
      />
      <p className="split-why">
        One record that answers for two boxes is recognised by values of both. What is marked goes
        to a new record; everything else stays.
      </p>
      {machine.quarantineReason !== '' && (
        <Notice tone="warn" icon="warning">
          <strong>In quarantine. </strong>
          {machine.quarantineReason}
        </Notice>
      )}
      <div className="split-sides">
        <EvidenceCard items={items} taken={taken} bootMac={machine.macAddress} onTake={setTaken} />
        <BoxesCard boxes={boxes} taken={taken} onTake={setTaken} />
      </div>
      <SidesCards machine={machine} items={items} boxes={boxes} taken={taken} />
      <div className="toolbar split-actions">
        <Button
          kind="primary"
          icon="split"
          disabledReason={reason ?? splitProblem(machine, items, taken)}
          onClick={() => setAsks(true)}
        >
          Split the record …
        </Button>
        {taken.size > 0 && (
          <CommandLine command={`muster machines split ${machine.id} ${quoted(taken)}`} />
        )}
      </div>
      {asks && <SplitDialog machine={machine} taken={taken} onClose={() => setAsks(false)} />}
    </div>
  );
}

const quoted = (values: ReadonlySet<string>): string =>
  [...values].map(value => (/^[\w:.-]+$/.test(value) ? value : `'${value}'`)).join(' ');
