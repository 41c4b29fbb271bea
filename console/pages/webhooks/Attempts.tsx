import {type Duration, durationMs} from '@bufbuild/protobuf/wkt';
import type {DeliveryAttempt} from '@muster/proto/gen/muster/v1/webhooks_pb.ts';
import {formatDuration} from '../../ui/format.ts';
import {Icon} from '../../ui/icons.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {statusWords} from './webhook-looks.ts';
import './webhooks.css';

export const durationText = (duration: Duration | undefined): string =>
  duration ? formatDuration(durationMs(duration)) : '';

export function Attempts({attempts}: {readonly attempts: readonly DeliveryAttempt[]}) {
  return (
    <ol className="attempts">
      {attempts.map((attempt, index) => (
        <li key={index} className={attempt.error === '' ? 'tone-ok' : 'tone-bad'}>
          <div className="attempt-head">
            <Icon name={attempt.error === '' ? 'check' : 'warning'} />
            <strong>{statusWords(attempt.statusCode)}</strong>
            <span>after {durationText(attempt.duration)}</span>
            <span className="muted">
              <RelativeTime time={attempt.time} />
            </span>
          </div>
          {attempt.error && <p>{attempt.error}</p>}
          {attempt.answer && (
            <pre className="attempt-answer" tabIndex={0} aria-label="Answer of the receiver">
              {attempt.answer}
            </pre>
          )}
        </li>
      ))}
    </ol>
  );
}
