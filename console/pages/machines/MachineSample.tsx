import type {Machine} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {Link} from '@tanstack/react-router';
import {StateBadge} from '../../ui/Badge.tsx';
import {formatCount} from '../../ui/format.ts';
import {machineName} from './machine-name.ts';

/** A few of many machines, and how many more there are. */
export function MachineSample({
  machines,
  total,
}: {
  readonly machines: readonly Machine[];
  readonly total: bigint;
}) {
  const more = total - BigInt(machines.length);
  return (
    <>
      {machines.length > 0 && (
        <ul className="sample" aria-label="Some of them">
          {machines.map(machine => (
            <li key={machine.id}>
              <Link to="/machines/$id" params={{id: machine.id}}>
                {machineName(machine)}
              </Link>
              <StateBadge value={machine.state} />
              <span className="muted">{`${machine.manufacturer} ${machine.product}`}</span>
            </li>
          ))}
        </ul>
      )}
      {more > 0n && <p className="muted">and {formatCount(more)} more</p>}
    </>
  );
}
