import type {Group} from '@muster/proto/gen/muster/v1/groups_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {OperationService} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {RolloutService} from '@muster/proto/gen/muster/v1/rollouts_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {useNavigate} from '@tanstack/react-router';
import {useState} from 'react';
import {useOperateReason} from '../../api/caller.ts';
import {useAction} from '../../api/use-action.ts';
import {Form} from '../../forms/Form.tsx';
import {FormFooter} from '../../forms/FormFooter.tsx';
import {LeaveGuard} from '../../forms/LeaveGuard.tsx';
import {Button, ButtonLink} from '../../ui/Button.tsx';
import {ConfirmDialog} from '../../ui/Dialog.tsx';
import {plural} from '../../ui/format.ts';
import {BackLink, DetailHeader} from '../../ui/SplitPage.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {showToast} from '../../ui/Toast.tsx';
import {groupFilter} from './GroupMembers.tsx';
import {
  firstDraft,
  hasMistake,
  plannedWaves,
  requestOf,
  type RolloutDraft,
} from './rollout-draft.ts';
import {RolloutFields} from './RolloutFields.tsx';
import {RolloutOutcomes} from './RolloutOutcomes.tsx';
import '../../forms/form-parts.css';

/** A roll-out over the machines that the group holds now: first tried, then started. */
export function RolloutForm({group}: {readonly group: Group}) {
  const [draft, setDraft] = useState(firstDraft);
  const [isTried, setTried] = useState(false);
  const [asking, setAsking] = useState(false);
  const operateReason = useOperateReason();
  const total = useMemberCount(group);
  const {dryRun, start} = useRollout(group);
  const change = (next: RolloutDraft) => {
    setDraft(next);
    // What was tried was another one.
    dryRun.reset();
  };
  const mistake = hasMistake(draft);
  const submit = () => {
    setTried(true);
    if (!mistake) dryRun.mutate(requestOf(group.name, draft, true));
  };
  const tried = dryRun.data?.rollout;
  return (
    <Form className="form roomy" onSubmit={submit} aria-label={`Roll out to ${group.name}`}>
      <DetailHeader
        title={`Roll out to ${group.name}`}
        back={<BackLink to="/groups">All groups</BackLink>}
        beside={<span className="muted">{plural(total ?? 0, 'machine')} now</span>}
      />
      <RolloutFields draft={draft} onChange={change} total={total ?? 0} isTried={isTried} />
      {tried && <RolloutOutcomes operationId={tried.id} />}
      <FormFooter error={dryRun.error} attempt="try the roll-out" hasMistakes={isTried && mistake}>
        <ButtonLink to="/groups" search={{group: group.name}}>
          Cancel
        </ButtonLink>
        <Button type="submit" busy={dryRun.isPending} disabledReason={operateReason}>
          Dry run
        </Button>
        <StartButton
          total={total}
          onClick={() => {
            setTried(true);
            if (!mistake) setAsking(true);
          }}
        />
      </FormFooter>
      {asking && (
        <StartDialog
          {...{group, draft, start}}
          total={total ?? 0}
          onClose={() => setAsking(false)}
        />
      )}
      <LeaveGuard isDirty={draft !== firstDraft && !start.isSuccess} />
    </Form>
  );
}

function StartButton({
  total,
  onClick,
}: {
  readonly total: number | undefined;
  readonly onClick: () => void;
}) {
  const reason = useOperateReason() ?? (total === 0 ? 'No machine is in the group' : undefined);
  return (
    <Button kind="primary" disabledReason={reason} onClick={onClick}>
      Start…
    </Button>
  );
}

type StartProps = {
  readonly group: Group;
  readonly draft: RolloutDraft;
  readonly total: number;
  readonly start: ReturnType<typeof useRollout>['start'];
  readonly onClose: () => void;
};

function StartDialog({group, draft, total, start, onClose}: StartProps) {
  return (
    <ConfirmDialog
      title={`Roll out to ${plural(total, 'machine')}?`}
      action="Start the roll-out"
      typeToConfirm={group.name}
      busy={start.isPending}
      error={<ErrorState error={start.error} attempt="start the roll-out" />}
      onConfirm={() => start.mutate(requestOf(group.name, draft, false))}
      onClose={onClose}
    >
      <p>
        Each machine is built and <strong>rebooted</strong>, in{' '}
        {plural(plannedWaves(total, draft).length, 'wave')}. A wave begins when all machines of
        those before are over; with more than {plural(Number(draft.maxFailures), 'failure')} nothing
        further begins. It can be paused and cancelled at any time; a machine that was rebooted is
        not taken back by that.
      </p>
    </ConfirmDialog>
  );
}

function useRollout(group: Group) {
  const navigate = useNavigate();
  const alsoStale = {also: [OperationService]};
  const dryRun = useAction(RolloutService.method.createRollout, alsoStale);
  const change = useAction(RolloutService.method.createRollout, alsoStale);
  const mutate = (request: ReturnType<typeof requestOf>) =>
    change.mutate(request, {
      onSuccess: ({rollout}) => {
        showToast(`The roll-out to ${group.name} has begun`);
        if (rollout)
          void navigate({to: '/operations/$id', params: {id: rollout.id}, ignoreBlocker: true});
      },
    });
  return {dryRun, start: {...change, mutate}};
}

function useMemberCount(group: Group): number | undefined {
  const {data} = useQuery(MachineService.method.listMachines, {
    filter: groupFilter(group),
    pageSize: 1,
    countTotal: true,
    readMask: {paths: ['id']},
  });
  return data && Number(data.totalSize);
}
