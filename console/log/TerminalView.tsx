import {useVirtualizer} from '@tanstack/react-virtual';
import {useEffect, useRef, useState, useSyncExternalStore} from 'react';
import {useFollowedEnd} from '../hooks/use-followed-end.ts';
import {Button} from '../ui/Button.tsx';
import {feedOf, nothingFed} from './log-lines.ts';
import type {TerminalProps} from './LazyTerminal.tsx';
import {createScreen, type Piece, type Screen, screenRows} from './terminal-screen.ts';

/** Lines of boxes meet at this height of a row (log.css). */
const rowPx = 15;
/** Above and below, as a border: what has left the screen does not look in. */
const marginPx = 8;
const overscanRows = 25;

export function TerminalView({label, log}: TerminalProps) {
  const screen = useScreen(log);
  return screen && <Rows label={label} screen={screen} />;
}

/** Given each line once, as it comes; the screen ends with the view. */
function useScreen(log: TerminalProps['log']): Screen | undefined {
  const [screen, setScreen] = useState<Screen>();
  const fed = useRef(nothingFed);
  useEffect(() => {
    const made = createScreen();
    fed.current = nothingFed;
    setScreen(made);
    return () => made[Symbol.dispose]();
  }, []);
  useEffect(() => {
    if (!screen) return;
    const next = feedOf(log, fed.current);
    fed.current = next.fed;
    if (next.isAnew) screen.clear();
    screen.write(next.text);
  }, [screen, log]);
  return screen;
}

function Rows({label, screen}: {readonly label: string; readonly screen: Screen}) {
  useSyncExternalStore(screen.subscribe, screen.version);
  const scroller = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: screen.rowCount(),
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    overscan: overscanRows,
  });
  const heightPx = virtualizer.getTotalSize();
  const end = useFollowedEnd({scroller, heightPx, isOn: true});
  return (
    <div
      ref={scroller}
      className="log-scroller term"
      role="region"
      aria-label={label}
      tabIndex={0}
      style={{height: screenRows * rowPx + 2 * marginPx}}
      onScroll={end.onScroll}
    >
      <div className="term-rows" style={{height: heightPx}}>
        {virtualizer.getVirtualItems().map(({index, start}) => (
          <div
            key={index}
            className="term-row"
            data-top={(index > 0 && index === screen.firstRowOfScreen()) || undefined}
            style={{transform: `translateY(${start}px)`}}
          >
            <ScreenRow pieces={screen.row(index)} />
          </div>
        ))}
      </div>
      {!end.isAtEnd && (
        <Button className="log-to-end" icon="down" onClick={end.toEnd}>
          To the screen
        </Button>
      )}
    </div>
  );
}

const ScreenRow = ({pieces}: {readonly pieces: readonly Piece[]}) =>
  pieces.map(({text, className, columns}, at) => (
    <span
      // oxlint-disable-next-line react/no-array-index-key
      key={at}
      className={[className, columns && 'term-box'].filter(Boolean).join(' ') || undefined}
      style={columns ? {width: `${columns}ch`} : undefined}
    >
      {text}
    </span>
  ));
