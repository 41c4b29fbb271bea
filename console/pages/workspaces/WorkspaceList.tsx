import {
  type ListWorkspacesResponse,
  type Workspace,
  WorkspaceService,
} from '@muster/proto/gen/muster/v1/workspaces_pb.ts';
import {Link, useNavigate} from '@tanstack/react-router';
import type {TableColumn} from '../../table/columns.ts';
import {NamedListPage} from '../../table/NamedListPage.tsx';
import {useKeysetRows} from '../../table/use-keyset-rows.ts';
import {CommandLine} from '../../ui/CommandLine.tsx';
import {formatCount} from '../../ui/format.ts';
import {Meter} from '../../ui/Meter.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {EmptyState} from '../../ui/states.tsx';
import {WorkspaceDialog} from './WorkspaceDialog.tsx';

const pageSize = 100;
const rowsOf = ({workspaces}: ListWorkspacesResponse) => workspaces;

const columns: readonly TableColumn<Workspace>[] = [
  {
    id: 'name',
    header: 'Workspace',
    widthPx: 160,
    onPhone: true,
    cell: ({name}) => (
      <Link to="/workspaces" search={{workspace: name}}>
        {name}
      </Link>
    ),
  },
  {
    id: 'machines',
    header: 'Machines',
    widthPx: 250,
    onPhone: true,
    cell: ({name, machineCount, machinesMax}) => (
      <Meter used={machineCount} max={machinesMax} unit="machines" label={`Quota of ${name}`} />
    ),
  },
  {
    id: 'members',
    header: 'Members',
    widthPx: 80,
    align: 'end',
    cell: ({memberCount}) => formatCount(memberCount),
  },
  {
    id: 'description',
    header: 'What it is for',
    widthPx: 200,
    grows: true,
    cell: ({description}) => description || <span className="muted">–</span>,
  },
  {
    id: 'made',
    header: 'Made',
    widthPx: 110,
    cell: ({createTime}) => <RelativeTime time={createTime} />,
  },
];

export function WorkspaceList() {
  const navigate = useNavigate();
  const list = useKeysetRows(WorkspaceService.method.listWorkspaces, {pageSize}, rowsOf);
  const open = (workspace: string) => void navigate({to: '/workspaces', search: {workspace}});
  return (
    <NamedListPage
      title="Workspaces"
      noun="workspace"
      columns={columns}
      list={list}
      onOpen={open}
      empty={
        <EmptyState icon="workspace" title="There are no workspaces">
          <p>
            A workspace is a tenant or an environment: machines are assigned to it, and people with
            a role in it see those machines only. Without one, the site is whole.
          </p>
          <CommandLine command="muster workspaces create staging --machines-max 20" />
        </EmptyState>
      }
      form={onClose => <WorkspaceDialog workspace={undefined} onClose={onClose} onSaved={open} />}
    />
  );
}
