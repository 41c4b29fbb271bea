import type {PendingMachine} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import {DiscoveryService} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import {type Machine, MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {RuleService} from '@muster/proto/gen/muster/v1/rules_pb.ts';
import {useOperateReason} from '../../api/caller.ts';
import {useAction} from '../../api/use-action.ts';
import {PresenceMark, StateBadge} from '../../ui/Badge.tsx';
import {Card} from '../../ui/blocks.tsx';
import {Button} from '../../ui/Button.tsx';
import {BackLink, DetailHeader} from '../../ui/SplitPage.tsx';
import {Notice} from '../../ui/states.tsx';
import {showFailure, showToast} from '../../ui/Toast.tsx';
import {machineName} from '../machines/machine-name.ts';
import {RuleExplanations} from '../rules/RuleExplanations.tsx';
import {BoxFacts} from './BoxFacts.tsx';
import {IdentityCard} from './IdentityCard.tsx';
import {LookAlikesCard} from './LookAlikesCard.tsx';
import {LocateButton, PendingActions} from './PendingActions.tsx';

type DetailProps = {
  readonly pending: PendingMachine;
  readonly machine: Machine;
  readonly beside: string | undefined;
  readonly onDone: () => void;
};

/** Everything that helps to tell which box this is, and what becomes of it. */
export function PendingDetail({pending, machine, beside, onDone}: DetailProps) {
  return (
    <>
      <DetailHeader
        title={machineName(machine)}
        back={<BackLink to="/pending">All that wait</BackLink>}
        beside={
          <>
            <StateBadge value={machine.state} />
            <PresenceMark value={machine.presence} />
          </>
        }
        actions={<LocateButton machine={machine} />}
      />
      <Notice
        tone={machine.quarantineReason ? 'warn' : 'info'}
        icon={machine.quarantineReason ? 'warning' : 'info'}
      >
        {machine.quarantineReason && <strong>In quarantine. </strong>}
        {pending.nextStep}
      </Notice>
      <div className="pending-cards">
        <BoxFacts pending={pending} />
        <IdentityCard pending={pending} />
      </div>
      <LookAlikesCard pending={pending} machine={machine} beside={beside} />
      <Card title="What the rules say" actions={<ApplyButton machineId={machine.id} />}>
        <RuleExplanations machineId={machine.id} />
      </Card>
      <PendingActions pending={pending} machine={machine} onDone={onDone} />
    </>
  );
}

/** Rules that were made since it reported count when it reports again, or now. */
export function ApplyButton({machineId}: {readonly machineId: string}) {
  const reason = useOperateReason();
  const apply = useAction(RuleService.method.applyRules, {
    also: [DiscoveryService, MachineService],
  });
  const run = () =>
    apply.mutate(
      {machineId},
      {
        onSuccess: ({machineCount, acceptedCount, rejectedCount, heldCount}) =>
          showToast(
            `Asked about ${machineCount}: ${acceptedCount} accepted, ${rejectedCount} rejected, ${heldCount} wait`,
          ),
        onError: error => showFailure(error, 'ask the rules'),
      },
    );
  return (
    <Button icon="rule" busy={apply.isPending} disabledReason={reason} onClick={run}>
      {machineId === '' ? 'Ask the rules about all' : 'Ask the rules now'}
    </Button>
  );
}
