import {
  type Group,
  GroupService,
  type MachineConfiguration_Value,
} from '@muster/proto/gen/muster/v1/groups_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {useNavigate, useSearch} from '@tanstack/react-router';
import {useState} from 'react';
import {useOperateReason} from '../../api/caller.ts';
import {useAction} from '../../api/use-action.ts';
import {Card, Skeleton} from '../../ui/blocks.tsx';
import {Button, ButtonLink} from '../../ui/Button.tsx';
import {ConfirmDialog} from '../../ui/Dialog.tsx';
import {BackLink, DetailHeader} from '../../ui/SplitPage.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {showToast} from '../../ui/Toast.tsx';
import {machineName} from '../machines/machine-name.ts';
import {GateCard} from './GateCard.tsx';
import {GroupMembers} from './GroupMembers.tsx';
import {GroupRollouts} from './GroupRollouts.tsx';
import {InheritedValues, isEmptyProfile} from './InheritedValues.tsx';
import {Origin} from './Origin.tsx';

export function GroupDetail({group}: {readonly group: Group}) {
  const {machine} = useSearch({from: '/shell/groups'});
  const gives = group.templates.length > 0 || !isEmptyProfile(group.bootProfile);
  return (
    <>
      <DetailHeader
        title={group.name}
        back={<BackLink to="/groups">All groups</BackLink>}
        beside={
          <span className="muted">
            {group.filter === '' ? 'by hand' : 'by a filter'} · priority {group.priority}
            {group.tags.length > 0 && ` · ${group.tags.join(', ')}`}
          </span>
        }
        actions={<GroupActions group={group} />}
      />
      {group.description && <p>{group.description}</p>}
      {group.filter !== '' && <pre className="condition">{group.filter}</pre>}
      <Card title="What its machines inherit">
        {gives ? (
          <InheritedValues templates={group.templates} profile={group.bootProfile} />
        ) : (
          <p className="muted">
            Nothing: it has neither templates nor a boot profile. Edit the group to give it some.
          </p>
        )}
      </Card>
      <GateCard group={group} />
      {machine !== undefined && <MachineValues group={group} machineId={machine} />}
      <GroupMembers group={group} />
      <GroupRollouts group={group} />
    </>
  );
}

/** What one machine is built from, and where each value comes from: this group, another one, a rule, or itself. */
function MachineValues({group, machineId}: {readonly group: Group; readonly machineId: string}) {
  const machine = useQuery(MachineService.method.getMachine, {id: machineId}).data?.machine;
  const {data, error} = useQuery(GroupService.method.getMachineConfiguration, {machineId});
  const values = data?.configuration?.values;
  return (
    <Card
      title={`What ${machine ? machineName(machine) : 'the machine'} is built from`}
      actions={
        <ButtonLink
          to="/groups"
          search={{group: group.name}}
          kind="quiet"
          icon="close"
          resetScroll={false}
        >
          Close
        </ButtonLink>
      }
    >
      <ErrorState error={error} attempt="read its configuration" />
      {!error && !values && <Skeleton lines={3} />}
      {values?.length === 0 && (
        <p className="muted">
          Nothing is configured: neither on it, nor in a group, nor by a rule.
        </p>
      )}
      {values && values.length > 0 && (
        <ValueTable values={values} own={`group ${group.name}`} machineId={machineId} />
      )}
    </Card>
  );
}

type TableProps = {
  readonly values: readonly MachineConfiguration_Value[];
  /** What comes from the group that is shown stands out. */
  readonly own: string;
  readonly machineId: string;
};

const ValueTable = ({values, own, machineId}: TableProps) => (
  <table className="values">
    <thead>
      <tr>
        <th scope="col">Value</th>
        <th scope="col">Is</th>
        <th scope="col">Comes from</th>
      </tr>
    </thead>
    <tbody>
      {values.map(({field, value, origin}) => (
        <tr key={field} data-own={origin === own || undefined}>
          <th scope="row">{field.replaceAll('_', ' ')}</th>
          <td>
            <code>{value}</code>
          </td>
          <td>
            <Origin origin={origin} machineId={machineId} />
          </td>
        </tr>
      ))}
    </tbody>
  </table>
);

function GroupActions({group}: {readonly group: Group}) {
  const [deleting, setDeleting] = useState(false);
  const reason = useOperateReason();
  if (reason !== undefined) return <span className="muted">{reason}</span>;
  return (
    <>
      <ButtonLink to="/groups" search={{group: group.name, mode: 'rollout'}} icon="operation">
        Roll out…
      </ButtonLink>
      <ButtonLink to="/groups" search={{group: group.name, mode: 'edit'}}>
        Edit
      </ButtonLink>
      <Button kind="danger" onClick={() => setDeleting(true)}>
        Delete…
      </Button>
      {deleting && <DeleteDialog group={group} onClose={() => setDeleting(false)} />}
    </>
  );
}

function DeleteDialog({group, onClose}: {readonly group: Group; readonly onClose: () => void}) {
  const navigate = useNavigate();
  const remove = useAction(GroupService.method.deleteGroup, {also: [MachineService]});
  const confirm = () =>
    remove.mutate(
      {id: group.id},
      {
        onSuccess: () => {
          showToast(`Group ${group.name} is deleted`);
          void navigate({to: '/groups'});
        },
      },
    );
  return (
    <ConfirmDialog
      title={`Delete group ${group.name}?`}
      action="Delete the group"
      typeToConfirm={group.name}
      busy={remove.isPending}
      error={<ErrorState error={remove.error} attempt="delete the group" />}
      onConfirm={confirm}
      onClose={onClose}
    >
      <p>
        Its machines stay as they are, and lose what they inherit from it at their next build. Rules
        and filters that name it match nothing any more. This cannot be undone.
      </p>
    </ConfirmDialog>
  );
}
