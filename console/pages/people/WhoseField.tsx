import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {useMay} from '../../api/caller.ts';
import './people.css';

/** `user` of the address: nothing is one's own, "-" is everybody's. Only administrators look at those of others. */
export function WhoseField({
  user,
  onChange,
}: {
  readonly user: string | undefined;
  readonly onChange: (user: string | undefined) => void;
}) {
  if (!useMay(Permission.ADMINISTER)) return null;
  return (
    <label className="whose">
      Whose
      <select
        className="input"
        value={user ?? ''}
        onChange={event => onChange(event.target.value || undefined)}
      >
        <option value="">Mine</option>
        <option value="-">Everybody’s</option>
        {user !== undefined && user !== '-' && <option value={user}>{user}</option>}
      </select>
    </label>
  );
}
