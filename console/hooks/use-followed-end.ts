import {type RefObject, useEffect, useRef, useState} from 'react';

/** So near to the end one is at the end. */
const nearPx = 32;
/** Less is a correction of the browser, not somebody who scrolls. */
const scrolledUpPx = 4;

type FollowedEnd = {
  readonly scroller: RefObject<HTMLElement | null>;
  /** Of everything in the box; measured rows change it after they have come. */
  readonly heightPx: number;
  /** The end is followed at all. */
  readonly isOn: boolean;
  readonly onReading?: (isReading: boolean) => void;
};

/** The newest stays in sight until somebody scrolls up, and again when they come back to it. */
export function useFollowedEnd({scroller, heightPx, isOn, onReading}: FollowedEnd) {
  const follows = useRef(true);
  const lastTopPx = useRef(0);
  const [isAtEnd, setAtEnd] = useState(true);
  const see = (value: boolean) => {
    follows.current = value;
    setAtEnd(value);
    onReading?.(!value);
  };
  useEffect(() => {
    const box = scroller.current;
    if (box && isOn && follows.current) box.scrollTop = box.scrollHeight;
  }, [scroller, heightPx, isOn]);
  return {
    isAtEnd,
    toEnd: () => {
      const box = scroller.current;
      see(true);
      if (box) box.scrollTop = box.scrollHeight;
    },
    onScroll: () => {
      const box = scroller.current;
      if (!box) return;
      const {scrollTop, scrollHeight, clientHeight} = box;
      if (scrollHeight - scrollTop - clientHeight < nearPx) see(true);
      else if (!isOn || scrollTop < lastTopPx.current - scrolledUpPx) see(false);
      lastTopPx.current = scrollTop;
    },
  };
}
