import {Link} from '@tanstack/react-router';
import {useOperateReason} from '../../api/caller.ts';
import {Card, Skeleton} from '../../ui/blocks.tsx';
import {formatCount} from '../../ui/format.ts';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {EmptyState} from '../../ui/states.tsx';
import {MachineLink} from '../machines/MachineLink.tsx';
import {TakeBack} from './BootExplain.tsx';
import {journalActionWord} from './boot-words.ts';
import type {BootJournalState} from './use-boot-journal.ts';

/** What people decided over the head of the life cycle, and what still waits. */
export function BootEntries({state}: {readonly state: BootJournalState}) {
  const {journal, isLoading, since} = state;
  const disabledReason = useOperateReason('any');
  const overrides = [...journal.overrides.values()].toReversed();
  return (
    <Card flush title="Boot entries and one-time overrides">
      {isLoading ? (
        <div className="boot-loading">
          <Skeleton lines={2} />
        </div>
      ) : overrides.length === 0 ? (
        <EmptyState icon="rule" title="Nobody decided a boot by hand">
          <p>
            Every machine boots what its state says. Type one above to decide otherwise, or run{' '}
            <code>muster boot override MACHINE --local-disk</code>.
          </p>
        </EmptyState>
      ) : (
        <ul className="boot-entries">
          {overrides.map(({machineId, isEntry, action, imageId, actor, time}) => (
            <li key={`${machineId} ${isEntry}`}>
              <MachineLink id={machineId} />
              <span>
                {isEntry ? 'All boots' : 'Next boot'}: {journalActionWord(action)}{' '}
                {imageId !== '' && (
                  <Link to="/images/$id" params={{id: imageId}} className="mono">
                    {imageId.slice(0, 12)}
                  </Link>
                )}
              </span>
              <span className="muted">
                {actor}, <RelativeTime time={time} />
              </span>
              <TakeBack
                machineId={machineId}
                persistent={isEntry}
                disabledReason={disabledReason}
              />
            </li>
          ))}
        </ul>
      )}
      {since > 0n && !isLoading && (
        <p className="boot-more muted">
          As events since position {formatCount(since)} tell; what was decided before is shown where
          the machine is explained.
        </p>
      )}
    </Card>
  );
}
