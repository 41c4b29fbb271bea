import type {BootSession} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {BootSession_State as SessionState} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {Badge} from '../../ui/Badge.tsx';
import {dateOf, formatBytes, formatDuration} from '../../ui/format.ts';
import {Icon} from '../../ui/icons.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {Notice} from '../../ui/states.tsx';
import {hopDetail, hopLook, sessionLook, timedHops} from './boot-hops.ts';

/** One boot from its first request to the agent's hello: every hop, how long each took, and what it means. */
export function BootTimeline({session}: {readonly session: BootSession}) {
  const hops = timedHops(session);
  const last = hops.at(-1);
  const address = last?.hop.client?.ipAddress;
  const endMs =
    (dateOf(session.endTime)?.getTime() ?? 0) - (dateOf(session.startTime)?.getTime() ?? 0);
  return (
    <article className="boot-session">
      <header>
        <Badge look={sessionLook(session.state)} />
        <RelativeTime time={session.startTime} />
        {session.endTime && <span className="muted">{formatDuration(endMs)} in all</span>}
        {address && <span className="muted mono">{address}</span>}
        {last?.hop.client?.platform && <span className="muted">{last.hop.client.platform}</span>}
      </header>
      {session.diagnosis && (
        <Notice
          tone={session.state === SessionState.STALLED ? 'bad' : 'info'}
          icon={session.state === SessionState.STALLED ? 'warning' : 'info'}
        >
          {session.diagnosis}
        </Notice>
      )}
      <ol className="timeline">
        {hops.map(({hop, atMs, tookMs}) => {
          const {word, icon, tone} = hopLook(hop.kind);
          return (
            <li key={hop.id} className={`tone-${tone}`}>
              <span className="at" title={`${formatDuration(tookMs)} after the one before`}>
                +{(atMs / 1000).toFixed(1)} s
              </span>
              <Icon name={icon} />
              <span className="what">
                <strong>{word}</strong> {hopDetail(hop)}
                {!hop.complete && hop.bytes > 0n && ' (not whole)'}
              </span>
              <span className="muted">{hop.bytes > 0n && formatBytes(hop.bytes)}</span>
            </li>
          );
        })}
      </ol>
    </article>
  );
}
