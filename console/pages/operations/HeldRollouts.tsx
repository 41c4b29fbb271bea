import {Rollout_State as State, RolloutService} from '@muster/proto/gen/muster/v1/rollouts_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {Link} from '@tanstack/react-router';
import {Notice} from '../../ui/states.tsx';
import {operationTitle} from './operation-words.ts';

/** Of the newest ones; at most 50 operations over many machines are not over (docs/bulk.md). */
const looked = 100;

/** Roll-outs that wait for somebody: they do nothing until then. */
export function HeldRollouts() {
  const {data} = useQuery(RolloutService.method.listRollouts, {pageSize: looked});
  const held = (data?.rollouts ?? []).filter(
    ({state}) => state === State.HALTED || state === State.PAUSED,
  );
  return held.map(({id, state, holdReason, operation}) => (
    <Notice
      key={id}
      tone={state === State.HALTED ? 'bad' : 'warn'}
      icon={state === State.HALTED ? 'warning' : 'pause'}
    >
      <p>
        <Link to="/operations/$id" params={{id}}>
          {operation ? operationTitle(operation) : 'Roll-out'}
        </Link>{' '}
        {state === State.HALTED ? 'has halted' : 'is paused'}: {holdReason}
      </p>
    </Notice>
  ));
}
