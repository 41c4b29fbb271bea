import {useSearch} from '@tanstack/react-router';
import {WorkspaceList} from './WorkspaceList.tsx';
import {WorkspaceView} from './WorkspaceView.tsx';

export function WorkspacesPage() {
  const {workspace} = useSearch({from: '/shell/workspaces'});
  return workspace === undefined ? (
    <WorkspaceList />
  ) : (
    <WorkspaceView key={workspace} name={workspace} />
  );
}
