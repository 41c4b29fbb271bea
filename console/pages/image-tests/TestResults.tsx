import type {BootTest_Firmware as Firmware} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {
  type ImageTest,
  type ImageTestCheck,
  type ImageTestResult,
  ImageTest_Status as Status,
} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {Badge} from '../../ui/Badge.tsx';
import {formatDuration} from '../../ui/format.ts';
import type {Look} from '../../ui/tones.ts';
import {ConsoleText} from '../images/ConsoleText.tsx';
import {firmwareWord} from '../images/image-words.ts';
import {isOver, testStatusLook} from './test-words.ts';

const lookOf = (passed: boolean): Look => testStatusLook(passed ? Status.PASSED : Status.FAILED);
const untried: Look = {word: 'Not tried', tone: 'idle', icon: 'dash'};

/** How each firmware did, and each thing that was looked at inside. */
export function TestResults({test}: {readonly test: ImageTest}) {
  return (
    <ol className="boot-tests">
      {test.firmwares.map(firmware => {
        const result = test.results.find(each => each.firmware === firmware);
        return (
          <li key={firmware}>
            {result ? <Result result={result} /> : <NoResult test={test} firmware={firmware} />}
          </li>
        );
      })}
    </ol>
  );
}

function Result({result}: {readonly result: ImageTestResult}) {
  const {passed, firmware, durationMs, stage, failure, checks, consoleTail} = result;
  const word = firmwareWord(firmware);
  return (
    <>
      <div className="boot-test-head">
        <Badge look={lookOf(passed)} />
        <strong>{word}</strong>
        <span className="muted">
          in {formatDuration(durationMs)}
          {stage !== '' && `, came to: ${stage}`}
        </span>
      </div>
      {failure !== '' && <p className="boot-test-failure">{failure}</p>}
      {checks.length > 0 && (
        <ol className="test-checks" aria-label={`Checks with ${word}`}>
          {checks.map(check => (
            <Check key={check.name} check={check} />
          ))}
        </ol>
      )}
      {consoleTail !== '' && (
        <details>
          <summary>The last lines of the serial console</summary>
          <ConsoleText text={consoleTail} label={`End of the serial console, ${word}`} />
        </details>
      )}
    </>
  );
}

function Check({check}: {readonly check: ImageTestCheck}) {
  const {name, passed, detail, output, exitStatus, durationMs} = check;
  return (
    <li>
      <div className="boot-test-head">
        <Badge look={lookOf(passed)} />
        <span>{name}</span>
        <span className="muted">
          {durationMs > 0 && `in ${formatDuration(durationMs)}`}
          {exitStatus !== undefined && `${durationMs > 0 ? ', ' : ''}exit status ${exitStatus}`}
        </span>
      </div>
      {detail !== '' && <p className="test-words muted">{detail}</p>}
      {output !== '' && (
        <details open={!passed}>
          <summary>{name === 'script' ? 'What it wrote' : 'The end of its journal'}</summary>
          <ConsoleText text={output} label={`Output of ${name}`} />
        </details>
      )}
    </li>
  );
}

/** The firmwares are tried one after the other, and the first that fails ends the test. */
function NoResult({test, firmware}: {readonly test: ImageTest; readonly firmware: Firmware}) {
  const isNow = test.status === Status.RUNNING && test.firmwares[test.results.length] === firmware;
  const look = isOver(test) ? untried : testStatusLook(isNow ? Status.RUNNING : Status.PENDING);
  return (
    <div className="boot-test-head">
      <Badge look={look} />
      <strong>{firmwareWord(firmware)}</strong>
      {isNow && test.stage !== '' && <span className="muted">has come to: {test.stage}</span>}
      {test.status === Status.FAILED && (
        <span className="muted">the one that failed ended the test</span>
      )}
    </div>
  );
}
