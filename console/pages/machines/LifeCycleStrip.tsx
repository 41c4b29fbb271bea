import type {Machine} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {useNow} from '../../hooks/use-now.ts';
import {ProgressBar} from '../../ui/blocks.tsx';
import {dateOf, formatDuration} from '../../ui/format.ts';
import {Icon} from '../../ui/icons.tsx';
import {Notice} from '../../ui/states.tsx';
import {machineStateLook} from '../../ui/tones.ts';
import {limitSeconds, mainLine, nextSteps} from './life-cycle.ts';
import './life-cycle.css';

/** Younger than this is "just now", as in all relative times. */
const freshMs = 5000;

/** Where the machine is on its way, for how long it may be there, and what comes next. */
export function LifeCycleStrip({machine}: {readonly machine: Machine}) {
  const {state, stateReason, stateTime, stuckReason, quarantineReason, banReason} = machine;
  const now = useNow();
  const at = mainLine.indexOf(state);
  const steps = at < 0 ? [...mainLine, state] : mainLine;
  const ageMs = Math.max(0, now.getTime() - (dateOf(stateTime)?.getTime() ?? now.getTime()));
  const limit = limitSeconds[state];
  const look = machineStateLook(state);
  return (
    <section className="life" aria-label="Life cycle">
      <ol>
        {steps.map((step, index) => {
          const {word, icon, tone} = machineStateLook(step);
          const isNow = step === state;
          const isDone = at >= 0 && index < at;
          return (
            <li
              key={step}
              className={isNow ? `now tone-${tone}` : isDone ? 'done' : ''}
              aria-current={isNow ? 'step' : undefined}
            >
              <Icon name={icon} size={12} />
              {word}
            </li>
          );
        })}
      </ol>
      <div className="life-now">
        <div>
          <strong>{look.word}</strong>{' '}
          {ageMs < freshMs ? 'since just now' : `for ${formatDuration(ageMs)}`}
          {limit !== undefined && (
            <span className="muted"> of at most {formatDuration(limit * 1000)}</span>
          )}
          {stateReason && <span className="muted"> · {stateReason}</span>}
        </div>
        {limit !== undefined && (
          <ProgressBar
            percent={Math.min(100, ageMs / (limit * 10))}
            label="Share of the time limit of this state"
          />
        )}
        {!stuckReason && nextSteps[state] && <p className="muted">Next: {nextSteps[state]}</p>}
      </div>
      {stuckReason && (
        <Notice tone="bad" icon="warning">
          <strong>Stuck.</strong> {stuckReason}
        </Notice>
      )}
      {quarantineReason && (
        <Notice tone="bad" icon="issue">
          <strong>Quarantined.</strong> {quarantineReason}
        </Notice>
      )}
      {banReason && (
        <Notice tone="warn" icon="cross">
          <strong>Banned.</strong> {banReason}
        </Notice>
      )}
    </section>
  );
}
