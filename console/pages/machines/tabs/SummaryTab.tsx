import {Card, KeyValues} from '../../../ui/blocks.tsx';
import {RelativeTime} from '../../../ui/RelativeTime.tsx';
import {useMachine} from '../use-machine.ts';

export function SummaryTab() {
  const machine = useMachine();
  return (
    <Card title="Identity">
      <KeyValues
        entries={[
          ['Serial number', machine.serviceTag],
          ['Boot MAC', machine.macAddress],
          ['Last seen', <RelativeTime time={machine.lastSeenTime} />],
        ]}
      />
    </Card>
  );
}
