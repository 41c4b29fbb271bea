import {Service_Kind as Kind, ServiceService} from '@muster/proto/gen/muster/v1/services_pb.ts';
import {Code} from '@connectrpc/connect';
import {useQuery} from '@connectrpc/connect-query';
import {Link} from '@tanstack/react-router';
import {isCode} from '../../api/errors.ts';
import {Card} from '../../ui/blocks.tsx';
import {Icon} from '../../ui/icons.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';

const againMs = 15_000;

/** Without an edge nothing boots, without a builder nothing is built. */
export function ServicesCard() {
  const {data, error} = useQuery(
    ServiceService.method.listServices,
    {},
    {refetchInterval: againMs},
  );
  // Members of a workspace do not see the site's services.
  if (isCode(error, Code.PermissionDenied)) return null;
  const services = (data?.services ?? []).filter(({revoked}) => !revoked);
  return (
    <Card title="Edges and builders" actions={<Link to="/settings">Settings</Link>} flush>
      {data && services.length === 0 && (
        <p className="rows-none">
          None has joined: <code>muster services add edge NAME</code>
        </p>
      )}
      <ul className="rows">
        {services.map(({id, kind, name, online, lastSeenTime, backends}) => (
          <li key={id} className={online ? 'tone-ok' : 'tone-bad'}>
            <Icon name={online ? 'check' : 'warning'} />
            <span className="grow">
              {name}
              <span className="muted">
                {' '}
                · {kind === Kind.EDGE ? 'edge' : 'builder'}
                {backends
                  .filter(({available}) => available)
                  .map(backend => `, ${backend.name}`)
                  .join('')}
              </span>
            </span>
            {online ? (
              'online'
            ) : (
              <span>
                away since <RelativeTime time={lastSeenTime} empty="ever" />
              </span>
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}
