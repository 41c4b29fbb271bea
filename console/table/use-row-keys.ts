import {type KeyboardEvent, useState} from 'react';

type RowKeys = {
  readonly count: number;
  readonly pageRows: number;
  readonly onMove: (index: number) => void;
  readonly onOpen: ((index: number) => void) | undefined;
  readonly onSelect: ((index: number, isRange: boolean) => void) | undefined;
  readonly onEscape: (() => void) | undefined;
};

/** The row that the keys are at. The focus itself stays on the table: rows come and go while one scrolls. */
export function useRowKeys({count, pageRows, onMove, onOpen, onSelect, onEscape}: RowKeys) {
  const [active, setActive] = useState(-1);

  const moveTo = (index: number) => {
    const next = Math.max(0, Math.min(count - 1, index));
    setActive(next);
    onMove(next);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    // Links and boxes inside of rows have keys of their own.
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey)
      return;
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: active + 1,
      j: active + 1,
      ArrowUp: active - 1,
      k: active - 1,
      PageDown: active + pageRows,
      PageUp: active - pageRows,
      Home: 0,
      End: count - 1,
    };
    const to = moves[event.key];
    if (to !== undefined && count > 0) {
      moveTo(to);
      if (event.shiftKey && active >= 0) onSelect?.(to, true);
    } else if (event.key === 'Enter' && active >= 0) onOpen?.(active);
    else if (event.key.toLowerCase() === 'x' && active >= 0) onSelect?.(active, event.shiftKey);
    else if (event.key === 'Escape') onEscape?.();
    else return;
    event.preventDefault();
  };
  return {active: Math.min(active, count - 1), setActive, onKeyDown};
}
