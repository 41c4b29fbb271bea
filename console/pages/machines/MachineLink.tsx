import {Link} from '@tanstack/react-router';
import {useMachineName} from './use-machine-name.ts';

/** A machine that another thing names by its id. */
export function MachineLink({id}: {readonly id: string}) {
  const name = useMachineName(id);
  if (id === '') return null;
  return (
    <Link to="/machines/$id" params={{id}} title={id}>
      {name}
    </Link>
  );
}
