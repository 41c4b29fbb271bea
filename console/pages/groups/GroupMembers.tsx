import {
  type Group,
  GroupService,
  type ListGroupMachinesResponse,
} from '@muster/proto/gen/muster/v1/groups_pb.ts';
import {type Machine, MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {useNavigate, useSearch} from '@tanstack/react-router';
import {useMemo} from 'react';
import {useOperateReason} from '../../api/caller.ts';
import type {TableColumn} from '../../table/columns.ts';
import {FilterBar} from '../../table/FilterBar.tsx';
import {KeysetTable} from '../../table/KeysetTable.tsx';
import {useKeysetRows} from '../../table/use-keyset-rows.ts';
import {Card} from '../../ui/blocks.tsx';
import {ButtonLink, IconButton} from '../../ui/Button.tsx';
import {formatTotal} from '../../ui/format.ts';
import {EmptyState} from '../../ui/states.tsx';
import {briefColumns} from '../machines/brief-columns.tsx';
import {machineName} from '../machines/machine-name.ts';
import {MachinePicker} from '../machines/MachinePicker.tsx';
import {useMembership} from './use-membership.ts';

const rowsOf = (page: ListGroupMachinesResponse) => page.machines;

export const groupFilter = ({name}: Pick<Group, 'name'>) => `group = ${JSON.stringify(name)}`;

/** The machines that are in the group now. */
export function GroupMembers({group}: {readonly group: Group}) {
  const {filter = ''} = useSearch({from: '/shell/groups'});
  const navigate = useNavigate();
  const list = useKeysetRows(
    GroupService.method.listGroupMachines,
    {groupId: group.id, filter, pageSize: 200},
    rowsOf,
  );
  const columns = useMemberColumns(group);
  const {data: fields} = useQuery(
    MachineService.method.listMachineFields,
    {},
    {staleTime: Infinity},
  );
  return (
    <Card title={<MemberTitle group={group} />} actions={<InMachines group={group} />} flush>
      <div className="members-head">
        <FilterBar
          value={filter}
          fields={fields?.fields ?? []}
          placeholder="Filter its machines"
          error={list.error}
          onChange={text =>
            void navigate({to: '/groups', search: {group: group.name, filter: text || undefined}})
          }
        />
        {group.filter === '' && <AddMember group={group} />}
      </div>
      <KeysetTable
        label={`Machines of ${group.name}`}
        attempt="list its machines"
        columns={columns}
        list={list}
        rowId={({id}) => id}
        onOpen={({id}) => void navigate({to: '/machines/$id', params: {id}})}
        empty={<NoMembers group={group} filter={filter} />}
      />
    </Card>
  );
}

function MemberTitle({group}: {readonly group: Group}) {
  const {data} = useQuery(MachineService.method.listMachines, {
    filter: groupFilter(group),
    pageSize: 1,
    countTotal: true,
    readMask: {paths: ['id']},
  });
  if (!data) return 'Machines';
  return (
    <>
      Machines <span className="muted">{formatTotal(data.totalSize, data.totalEstimated)}</span>
    </>
  );
}

const InMachines = ({group}: {readonly group: Group}) => (
  <ButtonLink to="/machines" search={{filter: groupFilter(group)}} kind="quiet" icon="machine">
    In the machines
  </ButtonLink>
);

function AddMember({group}: {readonly group: Group}) {
  const {add} = useMembership(group);
  const reason = useOperateReason();
  if (reason !== undefined) return null;
  return (
    <div className="add-member">
      <MachinePicker label="Put a machine in" placeholder="Put a machine in …" onPick={add} />
    </div>
  );
}

const NoMembers = ({group, filter}: {readonly group: Group; readonly filter: string}) =>
  filter === '' ? (
    <EmptyState icon="group" title="No machine is in it">
      <p>
        {group.filter === ''
          ? 'Put machines in above, or let a discovery rule do it.'
          : 'None meets its filter now. Whoever meets it later is in at once.'}
      </p>
      {group.filter === '' && (
        <p>
          <code>muster groups add {group.name} MACHINE…</code>
        </p>
      )}
    </EmptyState>
  ) : (
    <EmptyState icon="filter" title="None of its machines meets the filter" />
  );

function useMemberColumns(group: Group): readonly TableColumn<Machine>[] {
  const {remove} = useMembership(group);
  const reason = useOperateReason();
  return useMemo(
    () => [
      briefColumns.name,
      briefColumns.state,
      briefColumns.presence,
      briefColumns.model,
      {
        id: 'actions',
        header: 'Actions',
        widthPx: 84,
        align: 'end',
        onPhone: true,
        cell: machine => (
          <>
            <InheritsLink group={group} machine={machine} />
            {group.filter === '' && (
              <IconButton
                icon="close"
                label={`Take ${machineName(machine)} out of the group`}
                disabledReason={reason}
                onClick={() => remove(machine)}
              />
            )}
          </>
        ),
      },
    ],
    [group, reason, remove],
  );
}

const InheritsLink = ({group, machine}: {readonly group: Group; readonly machine: Machine}) => (
  <ButtonLink
    to="/groups"
    search={{group: group.name, machine: machine.id}}
    kind="quiet"
    className="icon-button"
    icon="info"
    resetScroll={false}
    aria-label={`What ${machineName(machine)} inherits`}
    title="What it inherits"
  />
);
