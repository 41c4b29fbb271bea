import {Machine_StateSchema as StateSchema} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {Link} from '@tanstack/react-router';
import {PageHeader, Skeleton} from '../../ui/blocks.tsx';
import {formatCount, plural} from '../../ui/format.ts';
import {Icon} from '../../ui/icons.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {machineStateLook, machineStates} from '../../ui/tones.ts';
import {Attention} from './Attention.tsx';
import {BootsInProgress} from './BootsInProgress.tsx';
import {BuildsRunning} from './BuildsRunning.tsx';
import {CapacityCard} from './CapacityCard.tsx';
import {FirstSteps} from './FirstSteps.tsx';
import {ServicesCard} from './ServicesCard.tsx';
import {useStateCounts} from './use-fleet.ts';
import './overview.css';

/** Each number leads to the list behind it. */
export function OverviewPage() {
  const {counts, error, refetch} = useStateCounts();
  const total = [...(counts?.values() ?? [])].reduce((sum, count) => sum + count, 0);
  return (
    <div className="page">
      <PageHeader
        title="Overview"
        beside={counts && <Link to="/machines">{plural(total, 'machine')}</Link>}
      />
      {!counts && (
        <ErrorState error={error} attempt="count the machines" onRetry={() => void refetch()} />
      )}
      {counts ? <FleetByState counts={counts} total={total} /> : <Skeleton lines={3} />}
      {counts && total === 0 && <FirstSteps />}
      <div className="overview">
        <div>
          <Attention />
        </div>
        <div>
          <BuildsRunning />
          <ServicesCard />
        </div>
        <div>
          <BootsInProgress />
          <CapacityCard />
        </div>
      </div>
    </div>
  );
}

type FleetProps = {readonly counts: ReadonlyMap<string, number>; readonly total: number};

function FleetByState({counts, total}: FleetProps) {
  const rows = machineStates.map(state => {
    const name = StateSchema.value[state]?.localName ?? '';
    return {name, look: machineStateLook(state), count: counts.get(name.toLowerCase()) ?? 0};
  });
  return (
    <section aria-label="Machines by state">
      <div className="fleet-bar" aria-hidden="true">
        {rows.map(({name, look, count}) => (
          <span
            key={name}
            className={`tone-${look.tone}`}
            style={{flexGrow: count, display: count === 0 ? 'none' : undefined}}
            title={`${look.word}: ${formatCount(count)} of ${formatCount(total)}`}
          />
        ))}
      </div>
      <ul className="fleet">
        {rows.map(({name, look, count}) => (
          <li key={name}>
            <Link
              to="/machines"
              search={{filter: `state = ${name}`}}
              className={count === 0 ? 'tile none' : `tile tone-${look.tone}`}
            >
              <span className="tile-count">{formatCount(count)}</span>
              <span className="tile-word">
                <Icon name={look.icon} size={12} />
                {look.word}
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
