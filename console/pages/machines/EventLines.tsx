import type {Event} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {actorWords, dataWords, typeWords} from '../events-words.ts';

export function EventLines({events}: {readonly events: readonly Event[]}) {
  return (
    <ul className="events">
      {events.map(event => (
        <li key={event.id}>
          <RelativeTime time={event.time} />
          <span className="what">
            <strong title={event.type}>{typeWords(event.type)}</strong>{' '}
            <span className="muted">{dataWords(event.data)}</span>
          </span>
          <span className="muted">{actorWords(event.actor)}</span>
        </li>
      ))}
    </ul>
  );
}
