import {MachineField_Type as FieldType} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {useNavigate, useSearch} from '@tanstack/react-router';
import {useMemo} from 'react';
import {useHotkeys} from '../../hooks/use-hotkeys.ts';
import type {FilterField} from '../../table/filter-completion.ts';
import {FilterBar} from '../../table/FilterBar.tsx';
import {PageHeader, Skeleton} from '../../ui/blocks.tsx';
import {Chip} from '../../ui/Chip.tsx';
import {Choices} from '../../ui/Choices.tsx';
import {EmptyState, ErrorState} from '../../ui/states.tsx';
import {MachineChip} from '../machines/MachineChip.tsx';
import {EventList} from './EventList.tsx';
import type {NarrowEvents} from './EventRow.tsx';
import {eventGroups, parsePosition, parseTypes} from './event-words.ts';
import {FeedBar} from './FeedBar.tsx';
import {useEventFeed} from './use-event-feed.ts';
import '../../table/table.css';
import './events.css';

const field = (name: string, type: FieldType, values: string[] = []): FilterField => ({
  name,
  type,
  values,
});
/** docs/events.md; `data.<name>` at any depth. */
const fields: readonly FilterField[] = [
  field('type', FieldType.TEXT),
  field('actor', FieldType.TEXT),
  field('machine_id', FieldType.TEXT),
  field('subject', FieldType.TEXT),
  field('time', FieldType.TIME),
  field('position', FieldType.NUMBER),
  field('data.reason', FieldType.TEXT),
  field('data.error', FieldType.TEXT),
  field('data.summary', FieldType.TEXT),
  field('data.macAddress', FieldType.TEXT),
  field('data.imageId', FieldType.TEXT),
];

export function EventsPage() {
  const search = useSearch({from: '/shell/events'});
  const navigate = useNavigate({from: '/events'});
  const filter = search.filter ?? '';
  const types = parseTypes(search.types);
  const machineId = search.machine ?? '';
  const after = parsePosition(search.after);
  const state = useEventFeed({filter, types, machineId, after});
  const {feed, items, isPaused} = state;
  const narrow = useMemo<NarrowEvents>(
    () => ({
      toType: type => void navigate({search: old => ({...old, types: type})}),
      toMachine: machine => void navigate({search: old => ({...old, machine})}),
      fromHere: position => void navigate({search: old => ({...old, after: String(position)})}),
    }),
    [navigate],
  );
  useHotkeys({p: () => feed.setPaused(!isPaused)});
  const group = eventGroups.find(({value}) => value === types)?.value;
  const isAny = filter === '' && types === '' && machineId === '' && after === undefined;
  return (
    <div className="page fill events-page">
      <PageHeader title="Events" actions={<FeedBar state={state} after={after} />} />
      <div className="toolbar">
        <FilterBar
          value={filter}
          onChange={next => void navigate({search: old => ({...old, filter: next})})}
          fields={fields}
          placeholder="data.reason:timeout AND -actor = system"
          error={state.error}
        />
        <Choices
          label="Kind of events"
          items={eventGroups}
          value={group}
          onChange={next => void navigate({search: old => ({...old, types: next})})}
        />
        {group === undefined && (
          <Chip
            label="All kinds of events"
            onRemove={() => void navigate({search: old => ({...old, types: undefined})})}
          >
            Only <span className="mono">{types.replaceAll(',', ', ')}</span>
          </Chip>
        )}
        <MachineChip
          id={machineId}
          onRemove={() => void navigate({search: old => ({...old, machine: undefined})})}
        />
      </div>
      <ErrorState error={state.error} attempt="follow the events" />
      <EventList
        items={items}
        feed={feed}
        follows={!isPaused && after === undefined}
        narrow={narrow}
        empty={
          state.state === 'connecting' ? (
            <div className="events-loading">
              <Skeleton lines={6} />
            </div>
          ) : (
            !state.error && <NoEvents isAny={isAny} />
          )
        }
      />
    </div>
  );
}

function NoEvents({isAny}: {readonly isAny: boolean}) {
  return (
    <EmptyState
      icon="event"
      title={isAny ? 'Nothing has happened yet' : 'Nothing like that so far'}
    >
      <p>
        {isAny
          ? 'Every change of a machine, a build, a person appears here the moment it is made.'
          : 'What fits appears here the moment it happens. To look into the past, replay from a position.'}
      </p>
      <p>
        On the command line: <code>muster events watch --type machine.</code>
      </p>
    </EmptyState>
  );
}
