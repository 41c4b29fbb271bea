import {type BootSession, BootSession_State as State} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {type ReactNode, useId, useState} from 'react';
import {Badge} from '../../ui/Badge.tsx';
import {IconButton} from '../../ui/Button.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {ImageLink} from '../images/ImageLink.tsx';
import {BootHops, BootStages} from './BootTimeline.tsx';
import {sessionLook} from './boot-words.ts';

/** One boot: who, how far, what the server makes of it; its steps when it is opened. */
export function BootSessionRow({
  session,
  who,
}: {
  readonly session: BootSession;
  readonly who?: ReactNode;
}) {
  const [open, setOpen] = useState(false);
  const id = useId();
  // Of a boot that went well a line is enough.
  const isOver = session.state === State.COMPLETED;
  return (
    <li className="boot-row">
      <div className="boot-row-head">
        <IconButton
          icon={open ? 'down' : 'right'}
          label={open ? 'Hide the steps of this boot' : 'Show the steps of this boot'}
          aria-expanded={open}
          aria-controls={id}
          onClick={() => setOpen(!open)}
        />
        <Badge look={sessionLook(session.state)} />
        {who}
        <span className="muted">
          began <RelativeTime time={session.startTime} />
        </span>
        <ImageLink id={session.imageId} />
        {isOver && (
          <span className="muted boot-row-end">{session.diagnosis.replace(/^Booted: /, '')}</span>
        )}
      </div>
      {!isOver && <BootStages session={session} />}
      {!isOver && <p className="boot-diagnosis">{session.diagnosis}</p>}
      {open && (
        <div id={id} className="boot-row-steps">
          {isOver && <BootStages session={session} />}
          <BootHops session={session} />
        </div>
      )}
    </li>
  );
}
