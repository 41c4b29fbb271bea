import {useVirtualizer} from '@tanstack/react-virtual';
import {type ReactNode, useEffect, useMemo, useRef, useState} from 'react';
import {useDebounced} from '../hooks/use-debounced.ts';
import {useFollowedEnd} from '../hooks/use-followed-end.ts';
import {useMediaQuery} from '../hooks/use-media-query.ts';
import {Button} from '../ui/Button.tsx';
import {formatCount, formatExact} from '../ui/format.ts';
import {LogRow} from './LogRow.tsx';
import {findLines, type LineRange, linesText, parseLines} from './log-search.ts';
import {LogTools} from './LogTools.tsx';
import '../table/table.css';
import './log.css';

const rowPx = 18;
const overscanRows = 20;
const searchSettleMs = 150;

type LogViewProps = {
  /** "Log of build 0198c0de" */
  readonly label: string;
  readonly lines: readonly {readonly text: string; readonly timeMs: number}[];
  readonly leftOut?: number;
  /** More may come: the end is followed while it is in sight. */
  readonly isLive: boolean;
  readonly fileName: string;
  /** "12" or "12-40": of the address. */
  readonly chosen: string | undefined;
  readonly onChoose: (lines: string | undefined) => void;
  readonly empty: ReactNode;
};

/**
 * A log of any length: coloured text in the page itself, so that it can be searched, selected, copied and read aloud. Only what is in sight is in
 * the document.
 */
export function LogView(props: LogViewProps) {
  const {label, lines, leftOut = 0, isLive, chosen, onChoose} = props;
  const scroller = useRef<HTMLDivElement>(null);
  const isPhone = useMediaQuery('(max-width: 640px)');
  const [isWrapped, setWrapped] = useState<boolean>();
  const wraps = isWrapped ?? isPhone;
  const [typed, setTyped] = useState('');
  const search = useDebounced(typed, searchSettleMs);
  const found = useMemo(() => findLines(lines, search), [lines, search]);
  const [at, setAt] = useState(0);
  const range = parseLines(chosen);

  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    overscan: overscanRows,
  });
  useEffect(() => virtualizer.measure(), [virtualizer, wraps]);
  const goTo = (index: number) => virtualizer.scrollToIndex(index, {align: 'center'});
  const end = useFollowedEnd({
    scroller,
    heightPx: virtualizer.getTotalSize(),
    isOn: isLive && range === undefined,
  });
  useShownRange(range, lines.length, leftOut, goTo);

  const current = found[Math.min(at, found.length - 1)];
  const move = (by: number) => {
    if (found.length === 0) return;
    const next = (Math.min(at, found.length - 1) + by + found.length) % found.length;
    setAt(next);
    goTo(found[next] ?? 0);
  };
  const pick = useStable((number: number, isRange: boolean) => {
    if (!isRange && range?.from === number && range.to === number) return onChoose(undefined);
    const from = isRange && range ? range.from : number;
    onChoose(linesText({from: Math.min(from, number), to: Math.max(from, number)}));
  });

  return (
    <div className="log">
      <LogTools
        lines={lines}
        leftOut={leftOut}
        fileName={props.fileName}
        search={typed}
        onSearch={text => {
          setTyped(text);
          setAt(0);
        }}
        found={found.length}
        at={Math.min(at, found.length - 1)}
        onMove={move}
        wraps={wraps}
        onWrap={setWrapped}
        range={range}
        onChoose={onChoose}
      />
      {leftOut > 0 && (
        <p className="log-note muted">
          The first {formatCount(leftOut)} lines are not shown: only the newest are kept here.
        </p>
      )}
      <div
        ref={scroller}
        className="log-scroller"
        data-wrap={wraps || undefined}
        role="region"
        aria-label={label}
        tabIndex={0}
        onScroll={end.onScroll}
      >
        {lines.length === 0 ? (
          <div className="log-empty">{props.empty}</div>
        ) : (
          <div className="log-rows" style={{height: virtualizer.getTotalSize()}}>
            {virtualizer.getVirtualItems().map(item => {
              const line = lines[item.index];
              const number = item.index + 1 + leftOut;
              return (
                line && (
                  <LogRow
                    key={number}
                    index={item.index}
                    number={number}
                    text={line.text}
                    time={line.timeMs > 0 ? formatExact(new Date(line.timeMs)) : ''}
                    startPx={item.start}
                    search={search}
                    isChosen={range !== undefined && number >= range.from && number <= range.to}
                    isCurrent={search !== '' && item.index === current}
                    onPick={pick}
                    measure={wraps ? virtualizer.measureElement : undefined}
                  />
                )
              );
            })}
          </div>
        )}
        {!end.isAtEnd && lines.length > 0 && (
          <Button className="log-to-end" icon="down" onClick={end.toEnd}>
            {isLive ? 'Follow the end' : 'To the end'}
          </Button>
        )}
      </div>
    </div>
  );
}

/** Once, when the lines of the address have come. */
function useShownRange(
  range: LineRange | undefined,
  count: number,
  leftOut: number,
  goTo: (index: number) => void,
): void {
  const shown = useRef(0);
  const first = range?.from ?? 0;
  const index = first - 1 - leftOut;
  const isThere = index >= 0 && index < count;
  useEffect(() => {
    if (!isThere || shown.current === first) return;
    shown.current = first;
    goTo(index);
  });
}

/** The same function at each rendering, so that rows need not be rendered again. */
function useStable<A extends readonly unknown[]>(action: (...args: A) => void) {
  const latest = useRef(action);
  useEffect(() => {
    latest.current = action;
  });
  return useMemo(
    () =>
      (...args: A) =>
        latest.current(...args),
    [],
  );
}
