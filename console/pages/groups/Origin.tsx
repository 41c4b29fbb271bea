import {Link} from '@tanstack/react-router';

/** "machine", "group NAME" or "rule NAME", as GetMachineConfiguration says it. */
export function Origin({origin, machineId}: {readonly origin: string; readonly machineId: string}) {
  const [, kind, name = ''] = /^(group|rule) (.*)$/.exec(origin) ?? [];
  if (kind === 'group')
    return (
      <>
        group{' '}
        <Link to="/groups" search={{group: name}}>
          {name}
        </Link>
      </>
    );
  if (kind === 'rule')
    return (
      <>
        rule{' '}
        <Link to="/rules" search={{rule: name}}>
          {name}
        </Link>
      </>
    );
  return (
    <Link to="/machines/$id/config" params={{id: machineId}}>
      the machine itself
    </Link>
  );
}
