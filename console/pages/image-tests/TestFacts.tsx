import type {ImageTest} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {KeyValues} from '../../ui/blocks.tsx';
import {formatDuration} from '../../ui/format.ts';
import {Identifier} from '../../ui/Identifier.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {BuilderName} from '../builds/BuildFacts.tsx';
import {ConsoleText} from '../images/ConsoleText.tsx';
import {MachineLink} from '../machines/MachineLink.tsx';
import {Actor, TestedImage} from './test-columns.tsx';

export function TestFacts({test}: {readonly test: ImageTest}) {
  const {plan, attempt} = test;
  return (
    <KeyValues
      entries={[
        ['Image', <TestedImage key="image" test={test} />],
        ['For the machine', test.machineId && <MachineLink id={test.machineId} />],
        ['In gates', <code key="names">{test.names.join(' ')}</code>],
        ['Units', plan?.units.map(unit => <div key={unit}>{unit}</div>)],
        ['Name to resolve', plan?.resolveName],
        ['Script', plan?.script && <Script text={plan.script} />],
        [
          'Time for the checks',
          plan && plan.checkTimeLimitSeconds > 0
            ? formatDuration(plan.checkTimeLimitSeconds * 1000)
            : undefined,
        ],
        [
          'Time for a boot',
          plan && plan.timeLimitSeconds > 0
            ? formatDuration(plan.timeLimitSeconds * 1000)
            : undefined,
        ],
        ['Builder', test.builderId && <BuilderName id={test.builderId} />],
        ['Attempt', attempt > 1 ? `${attempt} (a builder was lost before)` : undefined],
        ['Asked for by', <Actor key="actor" actor={test.actor} />],
        ['Asked for', <RelativeTime key="created" time={test.createTime} />],
        ['Began', test.startTime && <RelativeTime time={test.startTime} />],
        ['Took', test.durationMs > 0 ? formatDuration(test.durationMs) : undefined],
        ['Test', <Identifier key="id" id={test.id} what="the id of the test" />],
      ]}
    />
  );
}

const Script = ({text}: {readonly text: string}) => (
  <details>
    <summary>{text.split('\n').length} lines</summary>
    <ConsoleText text={text} label="The script" />
  </details>
);
