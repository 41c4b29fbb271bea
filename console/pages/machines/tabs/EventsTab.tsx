import type {Event} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {useMemo, useState} from 'react';
import type {TableColumn} from '../../../table/columns.ts';
import {DataTable} from '../../../table/DataTable.tsx';
import {RelativeTime} from '../../../ui/RelativeTime.tsx';
import {EmptyState, ErrorState} from '../../../ui/states.tsx';
import {actorWords, dataWords, typeWords} from '../../events-words.ts';
import {useMachine} from '../use-machine.ts';
import {useMachineEvents} from '../use-machine-events.ts';

const columns: readonly TableColumn<Event>[] = [
  {
    id: 'time',
    header: 'When',
    widthPx: 112,
    onPhone: true,
    cell: ({time}) => <RelativeTime time={time} />,
  },
  {
    id: 'type',
    header: 'What',
    widthPx: 220,
    onPhone: true,
    cell: ({type}) => <span title={type}>{typeWords(type)}</span>,
  },
  {
    id: 'data',
    header: 'Details',
    widthPx: 280,
    grows: true,
    cell: ({data}) => <span title={dataWords(data)}>{dataWords(data)}</span>,
  },
  {id: 'actor', header: 'Who', widthPx: 120, cell: ({actor}) => actorWords(actor)},
];
const idOf = ({id}: Event): string => id;

export function EventsTab() {
  const {id} = useMachine();
  const {data, error, isPending, refetch} = useMachineEvents(id);
  const [text, setText] = useState('');
  const words = text.toLowerCase();
  const rows = useMemo(
    () =>
      (data ?? []).filter(event =>
        `${event.type} ${event.actor} ${dataWords(event.data)}`.toLowerCase().includes(words),
      ),
    [data, words],
  );
  return (
    <>
      <div className="toolbar" data-page-filter>
        <input
          className="input"
          type="search"
          aria-label="Only events with these words"
          placeholder="Only events with these words"
          value={text}
          onChange={event => setText(event.target.value)}
        />
      </div>
      <ErrorState error={error} attempt="load its events" onRetry={() => void refetch()} />
      <DataTable
        label="Events of this machine"
        columns={columns}
        rows={rows}
        rowId={idOf}
        isLoading={isPending}
        empty={<EmptyState icon="event" title="No event has these words" />}
      />
    </>
  );
}
