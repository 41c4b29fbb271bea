import {createContext, use, useEffect, useRef, useSyncExternalStore} from 'react';
import type {EventStream, LiveBatch, LiveState} from './event-stream.ts';

const LiveContext = createContext<EventStream | undefined>(undefined);
export const LiveProvider = LiveContext.Provider;

export function useEventStream(): EventStream {
  const stream = use(LiveContext);
  if (!stream) throw new Error('Cannot follow events: there is no LiveProvider above');
  return stream;
}

export function useLiveState(): LiveState {
  const {onState, state} = useEventStream();
  return useSyncExternalStore(onState, state);
}

/**
 * For pages that show events themselves or patch what they hold; at most four times a second. All others need nothing: their queries are
 * loaded again by live/invalidate.ts.
 */
export function useLiveBatches(reader: (batch: LiveBatch) => void): void {
  const {onBatch} = useEventStream();
  const latest = useRef(reader);
  useEffect(() => {
    latest.current = reader;
  });
  useEffect(() => onBatch(batch => latest.current(batch)), [onBatch]);
}
