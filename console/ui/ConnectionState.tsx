import type {LiveState} from '../live/event-stream.ts';
import {useLiveState} from '../live/live.tsx';

const words: Readonly<Record<LiveState, string>> = {
  live: 'Live',
  connecting: 'Connecting …',
  waiting: 'No connection: trying again',
  off: 'Not live',
};

/** Whether the page shows what is now. */
export function ConnectionState() {
  const state = useLiveState();
  return (
    <div className="connection" data-state={state} role="status">
      <span className="lamp" />
      {words[state]}
    </div>
  );
}
