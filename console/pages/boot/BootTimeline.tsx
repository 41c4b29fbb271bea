import type {BootHop, BootSession} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {BootHop_Kind as Hop} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {timestampMs} from '@bufbuild/protobuf/wkt';
import {dateOf, formatBytes, formatDuration, formatExact} from '../../ui/format.ts';
import {hopStages, hopWord} from './boot-words.ts';
import './boot.css';

/** How far a boot came: the stages of every boot, those that were seen filled. */
export function BootStages({session}: {readonly session: BootSession}) {
  const seen = new Set(session.hops.map(({kind}) => kind));
  const furthest = hopStages.findLastIndex(([kind]) => seen.has(kind));
  const failed = seen.has(Hop.FAILURE);
  return (
    <ol className="boot-stages" aria-label="Stages of this boot">
      {hopStages.map(([kind, word], index) => {
        const state = seen.has(kind) ? 'seen' : index < furthest ? 'passed' : 'ahead';
        return (
          <li
            key={kind}
            data-state={state}
            data-failed={(failed && index === furthest) || undefined}
          >
            {word}
            <span className="visually-hidden">
              {state === 'seen' ? ': seen' : state === 'passed' ? ': not seen' : ': not yet'}
            </span>
          </li>
        );
      })}
    </ol>
  );
}

/** Every step of one boot with its distance from the first. */
export function BootHops({session}: {readonly session: BootSession}) {
  const first = session.startTime ? timestampMs(session.startTime) : 0;
  return (
    <ol className="boot-hops">
      {session.hops.map(hop => (
        <li key={hop.id} data-kind={hop.kind === Hop.FAILURE ? 'failure' : undefined}>
          <time
            dateTime={dateOf(hop.time)?.toISOString()}
            title={hop.time && formatExact(new Date(timestampMs(hop.time)))}
          >
            +{hop.time ? formatDuration(Math.max(0, timestampMs(hop.time) - first)) : '?'}
          </time>
          <strong>{hopWord(hop.kind)}</strong>
          <span className="boot-hop-detail">{detailOf(hop)}</span>
        </li>
      ))}
    </ol>
  );
}

const fetched: readonly Hop[] = [Hop.LOADER, Hop.KERNEL, Hop.INITRD, Hop.LAYER];

function detailOf({kind, detail, bytes, complete}: BootHop): string {
  const size = bytes > 0n ? formatBytes(bytes) : '';
  const part = fetched.includes(kind) && !complete ? 'not the whole of it' : '';
  return [detail, size, part].filter(Boolean).join(' · ');
}
