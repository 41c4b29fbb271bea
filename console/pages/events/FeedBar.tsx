import {useNavigate} from '@tanstack/react-router';
import {useState} from 'react';
import {TextField} from '../../forms/fields.tsx';
import {Form} from '../../forms/Form.tsx';
import {Button} from '../../ui/Button.tsx';
import {Dialog} from '../../ui/Dialog.tsx';
import {formatCount} from '../../ui/format.ts';
import {type EventFeed, type FeedState, replayedMax} from './event-feed.ts';
import {parsePosition} from './event-words.ts';

type FeedBarProps = {
  readonly state: FeedState & {readonly feed: EventFeed};
  readonly after: bigint | undefined;
};

/** Where the list stands: live, paused, in the past; and what changes it. */
export function FeedBar({state, after}: FeedBarProps) {
  const {feed, isPaused, waitingCount} = state;
  const navigate = useNavigate({from: '/events'});
  const [asks, setAsks] = useState(false);
  return (
    <>
      <span className="muted feed-state" role="status">
        {wordsOf(state)}
      </span>
      {state.state === 'held' && (
        <Button kind="primary" icon="down" onClick={feed.goOn}>
          The next {formatCount(replayedMax)}
        </Button>
      )}
      {after !== undefined && (
        <Button
          icon="play"
          onClick={() => void navigate({search: old => ({...old, after: undefined})})}
        >
          Back to now
        </Button>
      )}
      <Button icon="undo" aria-haspopup="dialog" onClick={() => setAsks(true)}>
        Replay …
      </Button>
      <Button
        icon={isPaused ? 'play' : 'pause'}
        title="Key: p"
        aria-pressed={isPaused}
        onClick={() => feed.setPaused(!isPaused)}
      >
        {isPaused
          ? `Go on${waitingCount > 0 ? ` (${formatCount(waitingCount)} new)` : ''}`
          : 'Pause'}
      </Button>
      {asks && <ReplayDialog onClose={() => setAsks(false)} />}
    </>
  );
}

function wordsOf({state, isPaused, perSecond, items}: FeedState): string {
  const count = `${formatCount(items.length)} shown`;
  const words = {
    connecting: 'Connecting …',
    waiting: 'No connection: trying again',
    refused: 'Not followed',
    held: `Replay: ${count}; there are more`,
    replaying: `Replaying … ${count}`,
    live: `${isPaused ? 'Paused' : 'Live'} · ${formatCount(perSecond)}/s · ${count}`,
  } satisfies Record<FeedState['state'], string>;
  return words[state];
}

function ReplayDialog({onClose}: {readonly onClose: () => void}) {
  const navigate = useNavigate({from: '/events'});
  const [text, setText] = useState('');
  const isWrong = text !== '' && parsePosition(text) === undefined;
  const submit = () => {
    if (text === '' || isWrong) return;
    onClose();
    void navigate({search: old => ({...old, after: text})});
  };
  return (
    <Dialog title="Replay events" onClose={onClose}>
      <Form onSubmit={submit}>
        <TextField
          label="After position"
          inputMode="numeric"
          autoFocus
          hint={`Positions are gapless and in the order in which things happened. 0 is the beginning, as far as the journal is kept; ${formatCount(replayedMax)} events are shown at a time.`}
          error={isWrong ? 'A position is a whole number' : undefined}
          value={text}
          onChange={event => setText(event.target.value.trim())}
        />
        <Button type="submit" kind="primary">
          Replay
        </Button>
      </Form>
    </Dialog>
  );
}
