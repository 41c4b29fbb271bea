import {type Rollout, Rollout_State as State} from '@muster/proto/gen/muster/v1/rollouts_pb.ts';
import {Link} from '@tanstack/react-router';
import {Card} from '../../ui/blocks.tsx';
import {formatCount} from '../../ui/format.ts';
import {Notice} from '../../ui/states.tsx';
import {CountsBar} from './CountsBar.tsx';
import {countsText} from './operation-words.ts';

const isHeld = ({state}: Rollout): boolean => state === State.HALTED || state === State.PAUSED;

/** Why a roll-out waits, and what to do. */
export function RolloutHold({rollout}: {readonly rollout: Rollout}) {
  const {state, holdReason, nextStep} = rollout;
  if (!isHeld(rollout)) return null;
  const isHalted = state === State.HALTED;
  return (
    <Notice tone={isHalted ? 'bad' : 'warn'} icon={isHalted ? 'warning' : 'pause'}>
      <strong>
        {isHalted ? 'Halted' : 'Paused'}: {holdReason}
      </strong>
      <p>{nextStep}</p>
    </Notice>
  );
}

/** Where a roll-out is, wave by wave, and what comes next. */
export function RolloutWaves({rollout}: {readonly rollout: Rollout}) {
  const {id, nextStep, waves, currentWave} = rollout;
  return (
    <Card title="Waves">
      {!isHeld(rollout) && nextStep !== '' && <p className="rollout-next">{nextStep}</p>}
      <ol className="waves">
        {waves.map(({number, canary, counts}) => (
          <li
            key={number}
            aria-current={nextStep !== '' && number === currentWave ? 'step' : undefined}
          >
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
                  of {formatCount(counts.total)}: {countsText(counts)}
                </span>
              </>
            )}
          </li>
        ))}
      </ol>
    </Card>
  );
}
