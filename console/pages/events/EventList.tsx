import {useVirtualizer} from '@tanstack/react-virtual';
import {type KeyboardEvent, type ReactNode, useCallback, useRef, useState} from 'react';
import {useFollowedEnd} from '../../hooks/use-followed-end.ts';
import {useMediaQuery} from '../../hooks/use-media-query.ts';
import {Button} from '../../ui/Button.tsx';
import {formatCount} from '../../ui/format.ts';
import {Icon} from '../../ui/icons.tsx';
import type {EventFeed, FeedItem} from './event-feed.ts';
import {EventRow, type NarrowEvents} from './EventRow.tsx';

const rowPx = 26;
const rowPhonePx = 64;
const overscanRows = 12;

type EventListProps = {
  readonly items: readonly FeedItem[];
  readonly feed: Pick<EventFeed, 'setReading'>;
  /** The end stays in sight. */
  readonly follows: boolean;
  readonly narrow: NarrowEvents;
  readonly empty: ReactNode;
};

/** Oldest first, as they happened; the newest stay in sight until somebody scrolls up. */
export function EventList({items, feed, follows, narrow, empty}: EventListProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const isPhone = useMediaQuery('(max-width: 640px)');
  const [opened, setOpened] = useState<ReadonlySet<bigint>>(new Set());
  const virtualizer = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => (isPhone ? rowPhonePx : rowPx),
    getItemKey: index => items[index]?.key ?? index,
    overscan: overscanRows,
  });
  const {isAtEnd, toEnd, onScroll} = useFollowedEnd({
    scroller,
    heightPx: virtualizer.getTotalSize(),
    isOn: follows,
    onReading: feed.setReading,
  });
  const toggle = useCallback((position: bigint) => {
    setOpened(old => {
      const next = new Set(old);
      if (!next.delete(position)) next.add(position);
      return next;
    });
    // Its details may be below the end of the box.
    requestAnimationFrame(() =>
      document.getElementById(`event-${position}`)?.scrollIntoView({block: 'nearest'}),
    );
  }, []);
  return (
    <div
      ref={scroller}
      className="event-list fill"
      role="region"
      aria-label="Events"
      tabIndex={0}
      onScroll={onScroll}
      onKeyDown={moveFocus}
    >
      {items.length === 0 && empty}
      <ol className="event-rows" style={{height: virtualizer.getTotalSize()}}>
        {virtualizer.getVirtualItems().map(({key, index, start}) => {
          const item = items[index];
          return (
            item && (
              <li
                key={key}
                id={`event-${item.key}`}
                data-index={index}
                ref={virtualizer.measureElement}
                style={{transform: `translateY(${start}px)`}}
              >
                {'event' in item ? (
                  <EventRow
                    event={item.event}
                    isOpen={opened.has(item.event.position)}
                    onToggle={toggle}
                    narrow={narrow}
                  />
                ) : (
                  <MissedRow missed={item.missed} narrow={narrow} />
                )}
              </li>
            )
          );
        })}
      </ol>
      {!isAtEnd && items.length > 0 && (
        <Button className="event-to-end" icon="down" onClick={toEnd}>
          To the newest
        </Button>
      )}
    </div>
  );
}

function MissedRow({
  missed: {from, to},
  narrow,
}: {
  readonly missed: {readonly from: bigint; readonly to: bigint};
  readonly narrow: NarrowEvents;
}) {
  return (
    <div className="event-missed">
      <Icon name="warning" size={12} />
      <span>
        Not shown: positions {formatCount(from)} to {formatCount(to)}. They came faster than they
        could be told, or are older than what is kept.
      </span>
      <Button kind="quiet" onClick={() => narrow.fromHere(from > 0n ? from - 1n : 0n)}>
        Replay from there
      </Button>
    </div>
  );
}

/** Arrows go from event to event, when one of them has the focus. */
function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
  if (step === 0 || event.target === event.currentTarget) return;
  const buttons = [...event.currentTarget.querySelectorAll<HTMLElement>('.event-type')];
  const row = event.target instanceof Element ? event.target.closest('li') : null;
  const at = buttons.findIndex(button => row?.contains(button));
  const next = buttons[at + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
