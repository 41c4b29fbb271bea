import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {
  type ListWorkspacesResponse,
  type Workspace,
  WorkspaceService,
} from '@muster/proto/gen/muster/v1/workspaces_pb.ts';
import {Link, useNavigate} from '@tanstack/react-router';
import {useState} from 'react';
import {useReason} from '../../api/use-reason.ts';
import type {TableColumn} from '../../table/columns.ts';
import {KeysetTable} from '../../table/KeysetTable.tsx';
import {useKeysetRows} from '../../table/use-keyset-rows.ts';
import {PageHeader} from '../../ui/blocks.tsx';
import {Button} from '../../ui/Button.tsx';
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
  const [creating, setCreating] = useState(false);
  const reason = useReason(Permission.ADMINISTER);
  const list = useKeysetRows(WorkspaceService.method.listWorkspaces, {pageSize}, rowsOf);
  const open = (workspace: string) => void navigate({to: '/workspaces', search: {workspace}});
  return (
    <div className="page fill">
      <PageHeader
        title="Workspaces"
        actions={
          <Button
            kind="primary"
            icon="plus"
            disabledReason={reason}
            onClick={() => setCreating(true)}
          >
            New workspace
          </Button>
        }
      />
      <KeysetTable
        label="Workspaces"
        columns={columns}
        list={list}
        attempt="list the workspaces"
        rowId={({id}) => id}
        onOpen={({name}) => open(name)}
        empty={
          <EmptyState icon="workspace" title="There are no workspaces">
            <p>
              A workspace is a tenant or an environment: machines are assigned to it, and people
              with a role in it see those machines only. Without one, the site is whole.
            </p>
            <CommandLine command="muster workspaces create staging --machines-max 20" />
          </EmptyState>
        }
      />
      {creating && (
        <WorkspaceDialog workspace={undefined} onClose={() => setCreating(false)} onSaved={open} />
      )}
    </div>
  );
}
