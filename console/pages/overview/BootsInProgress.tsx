import type {Event} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {Link} from '@tanstack/react-router';
import {useNow} from '../../hooks/use-now.ts';
import {useRecentEvents} from '../../live/use-recent-events.ts';
import {Card} from '../../ui/blocks.tsx';
import {dateOf} from '../../ui/format.ts';
import {Icon} from '../../ui/icons.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';

const lookBack = 1000;
const keepMax = 2000;
const shownMax = 8;
/** A session is over after 120 s of silence; one that was told to be open longer ago has lost its end to retention. */
const openMsMax = 30 * 60_000;
/** How long a boot that is over stays on the list. */
const lingerMs = 60_000;

type Boot = {
  readonly subject: string;
  readonly machineId: string;
  readonly name: string;
  readonly state: 'open' | 'stalled' | 'over';
  readonly start: Event;
  readonly last: Event;
};

const isBoot = ({type}: Event): boolean => type.startsWith('boot_session.');

/** Machines between their first boot request and the hello of their agent, as it happens. */
export function BootsInProgress() {
  const events = useRecentEvents({lookBack, keepMax, isWanted: isBoot});
  const boots = currentBoots(events, useNow());
  const open = boots.filter(({state}) => state === 'open').length;
  return (
    <Card
      title="Boots in progress"
      actions={<Link to="/boot">{open > 0 ? `${open} now` : 'Boot'}</Link>}
      flush
    >
      {boots.length === 0 && <p className="rows-none">No machine is booting.</p>}
      <ul className="rows" aria-live="off">
        {boots.slice(0, shownMax).map(boot => (
          <li
            key={boot.subject}
            className={
              boot.state === 'open' ? 'tone-busy' : boot.state === 'over' ? 'tone-ok' : 'tone-bad'
            }
          >
            <Icon
              name={boot.state === 'open' ? 'boot' : boot.state === 'over' ? 'check' : 'warning'}
            />
            <Link to="/machines/$id/boot" params={{id: boot.machineId}} className="grow">
              {boot.name}
              <span className="muted">
                {' '}
                ·{' '}
                {boot.state === 'open'
                  ? 'boots'
                  : boot.state === 'over'
                    ? 'has said hello'
                    : 'stopped on its way'}
              </span>
            </Link>
            <span className="muted">
              <RelativeTime time={boot.last.time} />
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** Those that are open or stalled, and those that have just ended; the newest first. */
export function currentBoots(events: readonly Event[], now: Date): readonly Boot[] {
  const boots = new Map<string, Boot>();
  for (const event of events.toSorted((a, b) => Number(a.position - b.position))) {
    const {subject, type, machineId} = event;
    const before = boots.get(subject);
    boots.set(subject, {
      subject,
      machineId: machineId || (before?.machineId ?? ''),
      name: textOf(event.data?.['macAddress']) || (before?.name ?? 'Machine'),
      state: type.endsWith('.opened') ? 'open' : type.endsWith('.stalled') ? 'stalled' : 'over',
      start: before?.start ?? event,
      last: event,
    });
  }
  return [...boots.values()]
    .filter(({state, last}) => {
      const ageMs = now.getTime() - (dateOf(last.time)?.getTime() ?? 0);
      return ageMs < (state === 'open' ? openMsMax : lingerMs);
    })
    .toReversed();
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
