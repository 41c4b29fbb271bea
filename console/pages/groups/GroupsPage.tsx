import {type Group, GroupService} from '@muster/proto/gen/muster/v1/groups_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {useSearch} from '@tanstack/react-router';
import {useOperateReason} from '../../api/caller.ts';
import {Skeleton} from '../../ui/blocks.tsx';
import {ButtonLink} from '../../ui/Button.tsx';
import {Loading} from '../../ui/Loading.tsx';
import {Item, ItemList, SplitPage} from '../../ui/SplitPage.tsx';
import {EmptyState} from '../../ui/states.tsx';
import {GroupDetail} from './GroupDetail.tsx';
import {GroupEditor} from './GroupEditor.tsx';
import {RolloutForm} from './RolloutForm.tsx';
import '../rules/rules.css';
import './groups.css';

const pageSize = 1000;

/** Machines that belong together. */
export function GroupsPage() {
  const {group: name, mode} = useSearch({from: '/shell/groups'});
  const {data, error, refetch} = useQuery(GroupService.method.listGroups, {pageSize});
  const reason = useOperateReason();
  const groups = data?.groups;
  return (
    <SplitPage
      title="Groups"
      actions={
        reason === undefined && (
          <ButtonLink to="/groups" search={{mode: 'new'}} kind="primary" icon="plus">
            New group
          </ButtonLink>
        )
      }
      openKey={name ?? mode}
      list={
        groups ? (
          <GroupList groups={groups} openName={name} />
        ) : (
          <Loading error={error} refetch={refetch} attempt="load the groups" lines={8} />
        )
      }
    >
      <Opened groups={groups} />
    </SplitPage>
  );
}

function GroupList({
  groups,
  openName,
}: {
  readonly groups: readonly Group[];
  readonly openName: string | undefined;
}) {
  if (groups.length === 0)
    return (
      <EmptyState icon="group" title="No groups yet">
        <p>
          A group holds machines by hand or by a filter. Its machines inherit templates and a boot
          profile from it, and are rolled out to together.
        </p>
        <p>
          <code>muster groups create NAME</code>
        </p>
      </EmptyState>
    );
  return (
    <ItemList label="Groups">
      {groups.map(group => (
        <li key={group.id}>
          <Item
            to="/groups"
            search={{group: group.name}}
            item={group.name}
            isOpen={group.name === openName}
            name={group.name}
            beside={
              <span className="muted">{group.filter === '' ? 'by hand' : 'by a filter'}</span>
            }
          >
            {group.filter && <span className="mono">{group.filter}</span>}
            {group.description && <span>{group.description}</span>}
            {group.templates.length > 0 && (
              <span>gives {group.templates.map(({name}) => name).join(', ')}</span>
            )}
          </Item>
        </li>
      ))}
    </ItemList>
  );
}

function Opened({groups}: {readonly groups: readonly Group[] | undefined}) {
  const {group: name, mode} = useSearch({from: '/shell/groups'});
  if (mode === 'new') return <GroupEditor key="new" group={undefined} />;
  if (name === undefined)
    return groups && groups.length > 0 ? (
      <EmptyState icon="group" title="Choose a group">
        <p>Its machines, what they inherit from it, and its roll-outs.</p>
      </EmptyState>
    ) : null;
  if (!groups) return <Skeleton lines={6} />;
  const group = groups.find(
    group => group.name.toLowerCase() === name.toLowerCase() || group.id === name,
  );
  if (!group)
    return (
      <EmptyState icon="question" title={`No group is called “${name}”`}>
        <p>It may have been renamed or deleted.</p>
        <ButtonLink to="/groups">All groups</ButtonLink>
      </EmptyState>
    );
  if (mode === 'edit') return <GroupEditor key={group.id} group={group} />;
  if (mode === 'rollout') return <RolloutForm key={group.id} group={group} />;
  return <GroupDetail key={group.id} group={group} />;
}
