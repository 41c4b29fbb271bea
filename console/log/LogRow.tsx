import {memo} from 'react';
import {parseAnsi} from './ansi.ts';
import {splitMatches} from './log-search.ts';

type LogRowProps = {
  readonly index: number;
  readonly number: number;
  readonly text: string;
  readonly time: string;
  readonly startPx: number;
  readonly search: string;
  readonly isChosen: boolean;
  readonly isCurrent: boolean;
  readonly onPick: (number: number, isRange: boolean) => void;
  readonly measure: ((row: HTMLElement | null) => void) | undefined;
};

/** What builders write of mistakes without colours. */
const toneOf = (text: string): string =>
  /^(?:[\w.+-]+> )?(?:error|fatal|E):/i.test(text)
    ? 'log-bad'
    : /^(?:[\w.+-]+> )?(?:warning|W):/i.test(text)
      ? 'log-warn'
      : '';

function Row(props: LogRowProps) {
  const {index, number, text, time, startPx, search, isChosen, isCurrent, onPick, measure} = props;
  const segments = parseAnsi(text);
  const tone = segments.every(({className}) => className === '') ? toneOf(text) : '';
  return (
    <div
      className={`log-row ${tone}`}
      data-index={index}
      data-chosen={isChosen || undefined}
      data-current={isCurrent || undefined}
      ref={measure}
      style={{transform: `translateY(${startPx}px)`}}
    >
      <button
        type="button"
        tabIndex={-1}
        className="log-number"
        aria-label={`Line ${number}`}
        title={time}
        onClick={event => onPick(number, event.shiftKey)}
      >
        {number}
      </button>
      <span className="log-text">
        {segments.map((segment, at) => (
          // oxlint-disable-next-line react/no-array-index-key
          <span key={at} className={segment.className || undefined}>
            {search === ''
              ? segment.text
              : splitMatches(segment.text, search).map((part, place) =>
                  // oxlint-disable-next-line react/no-array-index-key
                  part.isMatch ? <mark key={place}>{part.text}</mark> : part.text,
                )}
          </span>
        ))}
      </span>
    </div>
  );
}

/** A line never changes: it is rendered again only when it is found, chosen or moved. */
export const LogRow = memo(Row);
