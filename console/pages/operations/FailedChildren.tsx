import {
  type Operation,
  OperationChild_State as State,
  OperationService,
} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {Link} from '@tanstack/react-router';
import {Card, Skeleton} from '../../ui/blocks.tsx';
import {plural} from '../../ui/format.ts';
import {ErrorState} from '../../ui/states.tsx';
import {ChildMachine} from './child-columns.tsx';
import {childError} from './operation-words.ts';

const shownMax = 20;

/** What failed comes first, with the same reason once. */
export function FailedChildren({operation}: {readonly operation: Operation}) {
  const {data, error} = useQuery(OperationService.method.listOperationChildren, {
    operationId: operation.id,
    pageSize: shownMax,
    states: [State.FAILED],
  });
  const failed = operation.children?.failed ?? 0;
  const byReason = Map.groupBy(
    data?.children ?? [],
    child => childError(child) || 'No reason was given',
  );
  return (
    <Card flush title={`${plural(failed, 'machine')} failed`}>
      <ErrorState error={error} attempt="list what failed" />
      {!data && !error && <Skeleton lines={2} />}
      <ul className="failures">
        {[...byReason].map(([reason, children]) => (
          <li key={reason}>
            <p className="failure-reason">{reason}</p>
            <p className="failure-machines">
              {children.map(child => (
                <span key={child.number}>
                  <ChildMachine child={child} />
                  {child.buildId !== '' && (
                    <>
                      {' '}
                      (
                      <Link to="/builds/$id" params={{id: child.buildId}}>
                        build
                      </Link>
                      )
                    </>
                  )}
                </span>
              ))}
            </p>
          </li>
        ))}
      </ul>
      {failed > shownMax && (
        <p className="failures-more">
          <Link
            to="/operations/$id"
            params={{id: operation.id}}
            search={{state: 'failed'}}
            replace
            resetScroll={false}
          >
            All {plural(failed, 'failure')} in the list below
          </Link>
        </p>
      )}
    </Card>
  );
}
