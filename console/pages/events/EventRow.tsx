import type {Event} from '@muster/proto/gen/muster/v1/events_pb.ts';
import {Link} from '@tanstack/react-router';
import {memo} from 'react';
import {Card, KeyValues} from '../../ui/blocks.tsx';
import {Button} from '../../ui/Button.tsx';
import {CopyButton} from '../../ui/CopyButton.tsx';
import {dateOf, formatExact} from '../../ui/format.ts';
import {Icon} from '../../ui/icons.tsx';
import {MachineLink} from '../machines/MachineLink.tsx';
import {actorWord, eventSummary, eventTone} from './event-words.ts';
import '../../ui/identifier.css';

const clock = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
});

export type NarrowEvents = {
  readonly toType: (type: string) => void;
  readonly toMachine: (machineId: string) => void;
  readonly fromHere: (position: bigint) => void;
};

type EventRowProps = {
  readonly event: Event;
  readonly isOpen: boolean;
  readonly onToggle: (position: bigint) => void;
  readonly narrow: NarrowEvents;
};

function Row({event, isOpen, onToggle, narrow}: EventRowProps) {
  const time = dateOf(event.time);
  const summary = eventSummary(event);
  const toggle = () => onToggle(event.position);
  return (
    <>
      <div
        className={`event-line tone-${eventTone(event)}`}
        onClick={click => {
          if (click.target instanceof Element && !click.target.closest('a, button')) toggle();
        }}
      >
        <time dateTime={time?.toISOString()} title={time && formatExact(time)}>
          {time && clock.format(time)}
        </time>
        <button type="button" className="event-type" aria-expanded={isOpen} onClick={toggle}>
          <Icon name={isOpen ? 'down' : 'right'} size={12} />
          {event.type}
        </button>
        <span className="event-machine">
          <MachineLink id={event.machineId} />
        </span>
        <span className="event-summary" title={summary}>
          {summary}
        </span>
        <span className="event-actor" title={event.actor}>
          {actorWord(event.actor)}
        </span>
      </div>
      {isOpen && <Details event={event} narrow={narrow} />}
    </>
  );
}

/** An event never changes. */
export const EventRow = memo(Row);

function Details({event, narrow}: {readonly event: Event; readonly narrow: NarrowEvents}) {
  const time = dateOf(event.time);
  const json = JSON.stringify(event.data ?? {}, undefined, 2);
  return (
    <div className="event-details">
      <Card>
        <KeyValues
          entries={[
            [
              'Position',
              <span key="position" className="identifier mono">
                {String(event.position)}
                <CopyButton text={String(event.position)} what="the position" />
              </span>,
            ],
            ['Time', time && formatExact(time)],
            [
              'Actor',
              <span key="actor" className="mono">
                {event.actor}
              </span>,
            ],
            ['Subject', <Subject key="subject" subject={event.subject} />],
            [
              'Id',
              <span key="id" className="identifier mono">
                {event.id}
                <CopyButton text={event.id} what="the id of the event" />
              </span>,
            ],
          ]}
        />
        <div className="event-data">
          <CopyButton text={json} what="its data" />
          <pre tabIndex={0} aria-label="Data of the event">
            {json}
          </pre>
        </div>
        <div className="toolbar">
          <Button kind="quiet" icon="filter" onClick={() => narrow.toType(event.type)}>
            Only {event.type}
          </Button>
          {event.machineId !== '' && (
            <Button kind="quiet" icon="machine" onClick={() => narrow.toMachine(event.machineId)}>
              Only this machine
            </Button>
          )}
          <Button kind="quiet" icon="undo" onClick={() => narrow.fromHere(event.position - 1n)}>
            Replay from here
          </Button>
        </div>
      </Card>
    </div>
  );
}

/** "builds/<id>" leads to the build. */
function Subject({subject}: {readonly subject: string}) {
  const [noun = '', id = ''] = subject.split('/');
  const pages = {
    builds: '/builds/$id',
    operations: '/operations/$id',
    images: '/images/$id',
    machines: '/machines/$id',
  } as const;
  const to = Object.entries(pages).find(([name]) => name === noun)?.[1];
  if (!to || id === '') return <span className="mono">{subject}</span>;
  return (
    <Link to={to} params={{id}} className="mono">
      {subject}
    </Link>
  );
}
