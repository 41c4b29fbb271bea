import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {type Workspace, WorkspaceService} from '@muster/proto/gen/muster/v1/workspaces_pb.ts';
import {Code} from '@connectrpc/connect';
import {useQuery} from '@connectrpc/connect-query';
import {useNavigate} from '@tanstack/react-router';
import {useState} from 'react';
import {isCode} from '../../api/errors.ts';
import {useAction} from '../../api/use-action.ts';
import {useReason} from '../../api/use-reason.ts';
import {Card, KeyValues, PageHeader} from '../../ui/blocks.tsx';
import {Button, ButtonLink} from '../../ui/Button.tsx';
import {CopyButton} from '../../ui/CopyButton.tsx';
import {ConfirmDialog} from '../../ui/Dialog.tsx';
import {plural} from '../../ui/format.ts';
import {Meter} from '../../ui/Meter.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {AwaitedPage, MissingPage} from '../../ui/page-states.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {MembersCard} from './MembersCard.tsx';
import {WorkspaceDialog} from './WorkspaceDialog.tsx';
import {WorkspaceMachinesCard} from './WorkspaceMachinesCard.tsx';
import './workspaces.css';

export function WorkspaceView({name}: {readonly name: string}) {
  const {data, error, refetch} = useQuery(WorkspaceService.method.getWorkspace, {id: name});
  const workspace = data?.workspace;
  if (isCode(error, Code.NotFound))
    return (
      <MissingPage title={`There is no workspace “${name}”`}>
        <p>It may have another name now, or you have no role in it.</p>
        <ButtonLink to="/workspaces">To the workspaces</ButtonLink>
      </MissingPage>
    );
  if (!workspace)
    return (
      <AwaitedPage
        title="Workspace"
        error={error}
        attempt="load the workspace"
        onRetry={() => void refetch()}
      />
    );
  return (
    <div className="page">
      <PageHeader
        title={workspace.name}
        beside={
          <Meter
            used={workspace.machineCount}
            max={workspace.machinesMax}
            unit="machines"
            label="Quota"
          />
        }
        actions={<WorkspaceActions workspace={workspace} />}
      />
      <div className="workspace-cards">
        <Card title="Workspace">
          <KeyValues
            entries={[
              ['What it is for', workspace.description],
              ['Made', <RelativeTime time={workspace.createTime} />],
              ['Changed', <RelativeTime time={workspace.updateTime} />],
              [
                'Id',
                <>
                  <span className="mono">{workspace.id}</span>{' '}
                  <CopyButton text={workspace.id} what="the id" />
                </>,
              ],
            ]}
          />
        </Card>
        <MembersCard workspace={workspace} />
      </div>
      <WorkspaceMachinesCard workspace={workspace} />
    </div>
  );
}

function WorkspaceActions({workspace}: {readonly workspace: Workspace}) {
  const navigate = useNavigate();
  const reason = useReason(Permission.ADMINISTER);
  const [asked, setAsked] = useState<'change' | 'delete'>();
  const close = () => setAsked(undefined);
  const {machineCount} = workspace;
  const held =
    machineCount > 0 ? `Release its ${plural(machineCount, 'machine')} first` : undefined;
  return (
    <>
      <ButtonLink kind="quiet" icon="left" to="/workspaces">
        All workspaces
      </ButtonLink>
      <Button disabledReason={reason} onClick={() => setAsked('change')}>
        Change
      </Button>
      <Button
        kind="danger"
        icon="trash"
        disabledReason={reason ?? held}
        onClick={() => setAsked('delete')}
      >
        Delete
      </Button>
      {asked === 'change' && (
        <WorkspaceDialog
          workspace={workspace}
          onClose={close}
          onSaved={name => void navigate({to: '/workspaces', search: {workspace: name}})}
        />
      )}
      {asked === 'delete' && <DeleteDialog workspace={workspace} onClose={close} />}
    </>
  );
}

function DeleteDialog({
  workspace,
  onClose,
}: {
  readonly workspace: Workspace;
  readonly onClose: () => void;
}) {
  const navigate = useNavigate();
  const remove = useAction(WorkspaceService.method.deleteWorkspace, {
    done: () => `Deleted workspace ${workspace.name}`,
    onDone: () => void navigate({to: '/workspaces'}),
  });
  return (
    <ConfirmDialog
      title={`Delete workspace ${workspace.name}?`}
      action={`Delete ${workspace.name}`}
      typeToConfirm={workspace.name}
      busy={remove.isPending}
      error={<ErrorState error={remove.error} attempt="delete the workspace" />}
      onConfirm={() => remove.mutate({id: workspace.id})}
      onClose={onClose}
    >
      <p>
        The roles of {plural(workspace.memberCount, 'member')} in it go, and every API token for it.
        It cannot be undone.
      </p>
    </ConfirmDialog>
  );
}
