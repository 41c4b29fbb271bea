import {Link} from '@tanstack/react-router';
import {Card, KeyValues} from '../../../ui/blocks.tsx';
import {CopyButton} from '../../../ui/CopyButton.tsx';
import {formatBytes, formatCount, formatDiskBytes} from '../../../ui/format.ts';
import {RelativeTime} from '../../../ui/RelativeTime.tsx';
import {trustWord} from '../../../ui/tones.ts';
import {DetailsEditor} from '../DetailsEditor.tsx';
import {LabelsEditor} from '../LabelsEditor.tsx';
import {NewestBoot} from '../NewestBoot.tsx';
import {NewestEvents} from '../NewestEvents.tsx';
import {useMachine} from '../use-machine.ts';

export function SummaryTab() {
  const machine = useMachine();
  const {id, hardware} = machine;
  return (
    <div className="machine-columns">
      <div>
        <Card title="Identity">
          <KeyValues
            entries={[
              ['Serial number', copyable(machine.serviceTag, 'the serial number')],
              ['Make', `${machine.manufacturer} ${machine.product}`.trim()],
              ['Boot MAC', copyable(machine.macAddress, 'the MAC')],
              [
                'Other MACs',
                machine.macAddresses
                  .filter(mac => mac !== machine.macAddress)
                  .map(mac => (
                    <div key={mac} className="mono">
                      {mac}
                    </div>
                  )),
              ],
              ['UUID', copyable(machine.uuid, 'the UUID')],
              ['Id', copyable(id, 'the id')],
              ['Trust', trustWord(machine.trust)],
              ['Last seen', <RelativeTime time={machine.lastSeenTime} empty="never" />],
              ['Clock', clockWords(machine.clockSkewMs)],
              ['Known since', <RelativeTime time={machine.createTime} />],
            ]}
          />
        </Card>
        <Card
          title="Hardware"
          actions={
            <Link to="/machines/$id/hardware" params={{id}}>
              All of it
            </Link>
          }
        >
          {hardware ? (
            <KeyValues
              entries={[
                ['CPU', `${formatCount(hardware.cpuThreads)} threads · ${hardware.cpuModel}`],
                ['Memory', formatBytes(hardware.memoryBytes)],
                ['Disks', `${hardware.diskCount} · ${formatDiskBytes(hardware.diskBytes)}`],
                ['Firmware', hardware.firmwareMode.toUpperCase()],
              ]}
            />
          ) : (
            <p className="muted">Its agent has not reported yet.</p>
          )}
        </Card>
        <DetailsEditor key={id} machine={machine} />
        <LabelsEditor machine={machine} />
      </div>
      <div>
        <NewestBoot machineId={id} />
        <NewestEvents machineId={id} />
      </div>
    </div>
  );
}

const copyable = (text: string, what: string) =>
  text && (
    <>
      <span className="mono">{text}</span> <CopyButton text={text} what={what} />
    </>
  );

const clockWords = (skewMs: bigint): string => {
  const seconds = Number(skewMs) / 1000;
  if (Math.abs(seconds) < 1) return 'right';
  return `${Math.abs(seconds).toFixed(1)} s ${seconds > 0 ? 'fast' : 'slow'}`;
};
