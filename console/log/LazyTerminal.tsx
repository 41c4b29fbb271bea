import {type ComponentType, useEffect, useState} from 'react';
import {Skeleton} from '../ui/blocks.tsx';
import {Button} from '../ui/Button.tsx';
import {Notice} from '../ui/states.tsx';
import type {WatchedLog} from './use-watched-log.ts';

export type TerminalProps = {
  /** "Screen of the serial console of test 0198c0de" */
  readonly label: string;
  readonly log: Pick<WatchedLog, 'lines' | 'leftOut'>;
};

type Loaded = {readonly View?: ComponentType<TerminalProps>; readonly hasFailed?: boolean};

/** xterm.js is loaded by those who open a terminal, and by nobody else. */
export function LazyTerminal(props: TerminalProps) {
  const [{View, hasFailed}, setLoaded] = useState<Loaded>({});
  const [attempt, setAttempt] = useState(1);
  useEffect(() => {
    let isGone = false;
    setLoaded({});
    import('./TerminalView.tsx').then(
      ({TerminalView}) => isGone || setLoaded({View: TerminalView}),
      () => isGone || setLoaded({hasFailed: true}),
    );
    return () => {
      isGone = true;
    };
  }, [attempt]);
  if (View) return <View {...props} />;
  if (!hasFailed) return <Skeleton lines={8} />;
  return (
    <Notice tone="bad" icon="warning">
      <strong>Cannot load the terminal</strong>
      <p>
        The server did not give its code: it does not answer, or it is a newer one than this page.
        Lines show the same log.
      </p>
      <Button icon="refresh" onClick={() => setAttempt(attempt + 1)}>
        Try again
      </Button>
    </Notice>
  );
}
