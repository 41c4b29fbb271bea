import {type Rollout, Rollout_State as State} from '@muster/proto/gen/muster/v1/rollouts_pb.ts';
import {Link} from '@tanstack/react-router';
import {Card} from '../../ui/blocks.tsx';
import {formatCount} from '../../ui/format.ts';
import {Notice} from '../../ui/states.tsx';
import {CountsBar} from './CountsBar.tsx';
import {countsText} from './operation-words.ts';

/** Where a roll-out is, wave by wave; why it waits, and what comes next. */
export function RolloutCard({rollout}: {readonly rollout: Rollout}) {
  const {id, state, holdReason, nextStep, waves, currentWave} = rollout;
  const isHeld = state === State.HALTED || state === State.PAUSED;
  return (
    <>
      {isHeld && (
        <Notice
          tone={state === State.HALTED ? 'bad' : 'warn'}
          icon={state === State.HALTED ? 'warning' : 'pause'}
        >
          <strong>
            {state === State.HALTED ? 'Halted' : 'Paused'}: {holdReason}
          </strong>
          <p>{nextStep}</p>
        </Notice>
      )}
      <Card title="Waves">
        {!isHeld && nextStep !== '' && <p className="rollout-next">{nextStep}</p>}
        <ol className="waves">
          {waves.map(({number, canary, counts}) => (
            <li key={number} aria-current={number === currentWave ? 'step' : undefined}>
              <Link
                to="/operations/$id"
                params={{id}}
                search={{wave: String(number)}}
                resetScroll={false}
                replace
                title="Show the machines of this wave"
              >
                {canary ? 'Canary' : `Wave ${number}`}
              </Link>
              {counts && (
                <>
                  <CountsBar counts={counts} label={canary ? 'Canary' : `Wave ${number}`} />
                  <span className="muted">
                    {formatCount(counts.total)} · {countsText(counts)}
                  </span>
                </>
              )}
            </li>
          ))}
        </ol>
      </Card>
    </>
  );
}
