import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {Link} from '@tanstack/react-router';
import {machineName} from '../machines/machine-name.ts';

const staleMs = 600_000;

/** Issues know ids only. Asked for by the rows on the screen, and kept: names change rarely. */
export function MachineName({id}: {readonly id: string}) {
  const {data} = useQuery(MachineService.method.getMachine, {id}, {staleTime: staleMs});
  return (
    <Link to="/machines/$id" params={{id}}>
      {data?.machine ? machineName(data.machine) : <span className="mono">{id.slice(0, 8)}</span>}
    </Link>
  );
}
