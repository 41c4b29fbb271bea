import type {ComponentProps} from 'react';
import {Card} from '../ui/blocks.tsx';
import {LogView} from './LogView.tsx';
import type {WatchedLog} from './use-watched-log.ts';

type LogCardProps = Omit<ComponentProps<typeof LogView>, 'lines' | 'leftOut'> & {
  readonly title: string;
  readonly log: WatchedLog;
  /** "The build is over" */
  readonly over: string;
};

/** A log that is followed while it is written, and whether it is. */
export function LogCard({title, log, over, ...view}: LogCardProps) {
  const state = view.isLive ? 'Live' : over;
  return (
    <Card
      flush
      title={title}
      actions={
        <span className="muted">
          {log.state === 'waiting' ? 'No connection: trying again' : state}
        </span>
      }
    >
      <LogView {...view} lines={log.lines} leftOut={log.leftOut} />
    </Card>
  );
}
