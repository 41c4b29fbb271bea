import type {BootTest} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {useId, useState} from 'react';
import {Badge} from '../../ui/Badge.tsx';
import {Button} from '../../ui/Button.tsx';
import {formatDuration} from '../../ui/format.ts';
import {ConsoleText} from './ConsoleText.tsx';
import {firmwareWord} from './image-words.ts';
import {ImageLink} from './ImageLink.tsx';
import './boot-tests.css';

const passed = {word: 'Passed', tone: 'ok', icon: 'check'} as const;
const failed = {word: 'Failed', tone: 'bad', icon: 'warning'} as const;

/** How an image did in QEMU before any machine got it. */
export function BootTests({tests}: {readonly tests: readonly BootTest[]}) {
  return (
    <ul className="boot-tests">
      {tests.map(test => (
        <BootTestRow key={test.firmware} test={test} />
      ))}
    </ul>
  );
}

function BootTestRow({test}: {readonly test: BootTest}) {
  const [open, setOpen] = useState(!test.passed);
  const id = useId();
  const {consoleTail, reusedFromImageId} = test;
  return (
    <li>
      <div className="boot-test-head">
        <Badge look={test.passed ? passed : failed} />
        <strong>{firmwareWord(test.firmware)}</strong>
        <span className="muted">
          {reusedFromImageId === '' ? (
            <>
              {test.passed ? 'the agent answered after' : 'ended after'}{' '}
              {formatDuration(test.durationMs)}
            </>
          ) : (
            <>
              taken over from <ImageLink id={reusedFromImageId} />, whose kernel, initrd and base
              are the same
            </>
          )}
        </span>
        {consoleTail !== '' && (
          <Button
            kind="quiet"
            icon={open ? 'down' : 'right'}
            aria-expanded={open}
            aria-controls={id}
            onClick={() => setOpen(!open)}
          >
            Serial console
          </Button>
        )}
      </div>
      {test.failure !== '' && <p className="boot-test-failure">{test.failure}</p>}
      {consoleTail !== '' && open && (
        <div id={id}>
          <ConsoleText
            text={consoleTail}
            label={`Serial console of ${firmwareWord(test.firmware)}`}
          />
        </div>
      )}
    </li>
  );
}
