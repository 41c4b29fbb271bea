import {
  type ListTemplateMachinesResponse,
  type TemplateMachine,
  TemplateService,
} from '@muster/proto/gen/muster/v1/templates_pb.ts';
import {Link} from '@tanstack/react-router';
import {useKeysetRows} from '../../table/use-keyset-rows.ts';
import {Card, Skeleton} from '../../ui/blocks.tsx';
import {Button} from '../../ui/Button.tsx';
import {EmptyState, ErrorState} from '../../ui/states.tsx';

const rowsOf = (page: ListTemplateMachinesResponse) => page.machines;

/** Which machines a change reaches. */
export function TemplateMachines({name}: {readonly name: string}) {
  const {rows, error, isLoading, hasMore, isLoadingMore, loadMore, refresh} = useKeysetRows(
    TemplateService.method.listTemplateMachines,
    {name, pageSize: 200},
    rowsOf,
  );
  if (isLoading) return <Skeleton lines={4} />;
  if (error && rows.length === 0)
    return <ErrorState error={error} attempt="list its machines" onRetry={refresh} />;
  if (rows.length === 0)
    return (
      <EmptyState icon="machine" title="No machine uses it">
        <p>
          Give it to a group, a discovery rule, or a machine:{' '}
          <code>muster machines update MACHINE --template {name}</code>
        </p>
      </EmptyState>
    );
  const following = rows.filter(({follows}) => follows).length;
  return (
    <Card
      title="Machines that use it"
      actions={
        <Link to="/builds" search={{template: name}}>
          Builds with it
        </Link>
      }
    >
      <p>
        {following} of the {rows.length} {hasMore ? 'first ' : ''}follow the newest version: a new
        version is in their next build.
      </p>
      <TemplateMachineList machines={rows} />
      {hasMore && (
        <Button busy={isLoadingMore} onClick={loadMore}>
          Show more
        </Button>
      )}
    </Card>
  );
}

export const TemplateMachineList = ({
  machines,
}: {
  readonly machines: readonly TemplateMachine[];
}) => (
  <ul className="sample" aria-label="Machines">
    {machines.map(({machineId, machineName, version, follows}) => (
      <li key={machineId}>
        <Link to="/machines/$id" params={{id: machineId}}>
          {machineName}
        </Link>
        <span className="muted">
          {follows ? `follows the newest (${version})` : `version ${version} only`}
        </span>
      </li>
    ))}
  </ul>
);
