import type {Build} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import type {Operation_Step as Step} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {timestampMs} from '@bufbuild/protobuf/wkt';
import {Link} from '@tanstack/react-router';
import {useNow} from '../../hooks/use-now.ts';
import type {LogLine} from '../../log/log-lines.ts';
import {formatDuration} from '../../ui/format.ts';
import {Icon} from '../../ui/icons.tsx';
import {operationStateLook} from '../../ui/tones.ts';
import {stepWord} from './build-words.ts';

type BuildStepsProps = {
  readonly build: Build;
  readonly lines: readonly LogLine[];
  readonly leftOut: number;
};

/** What a build did when and for how long; each phase leads to its first line of the log. */
export function BuildSteps({build, lines, leftOut}: BuildStepsProps) {
  const now = useNow();
  const steps = build.operation?.steps ?? [];
  if (steps.length === 0)
    return (
      <p className="muted">
        {build.operation?.endTime
          ? build.cached
            ? 'None: the image was in the store already.'
            : 'It ended before its first phase.'
          : build.operation?.startTime
            ? 'Its builder begins.'
            : 'Waits for a builder that offers this back end. “muster services list” shows which there are.'}
      </p>
    );
  const took = steps.map(step => durationOf(step, now));
  const longest = Math.max(1, ...took);
  return (
    <ol className="build-steps">
      {steps.map((step, index) => {
        const look = operationStateLook(step.state);
        const durationMs = took[index] ?? 0;
        const line = firstLine(step, lines);
        return (
          <li key={step.name} className={`tone-${look.tone}`}>
            <span className="step-mark" title={look.word}>
              <Icon name={look.icon} size={12} />
              <span className="visually-hidden">{look.word}:</span>
            </span>
            <span className="step-name">
              {line === undefined ? (
                stepWord(step.name)
              ) : (
                <Link
                  to="/builds/$id"
                  params={{id: build.id}}
                  search={{lines: String(line + 1 + leftOut)}}
                  replace
                  resetScroll={false}
                  title="To its first line in the log"
                >
                  {stepWord(step.name)}
                </Link>
              )}
            </span>
            <meter
              className="step-bar"
              min={0}
              max={longest}
              value={durationMs}
              aria-label={`Share of ${stepWord(step.name)}`}
            />
            <span className="step-time">{formatDuration(durationMs)}</span>
          </li>
        );
      })}
    </ol>
  );
}

function durationOf({startTime, endTime}: Step, now: Date): number {
  if (!startTime) return 0;
  return Math.max(0, (endTime ? timestampMs(endTime) : now.getTime()) - timestampMs(startTime));
}

/** By time: lines do not say which phase they are of. */
function firstLine({startTime, endTime}: Step, lines: readonly LogLine[]): number | undefined {
  if (!startTime) return undefined;
  const from = timestampMs(startTime);
  const until = endTime ? timestampMs(endTime) : Infinity;
  const found = lines.findIndex(({timeMs}) => timeMs >= from);
  return found >= 0 && (lines[found]?.timeMs ?? 0) <= until ? found : undefined;
}
