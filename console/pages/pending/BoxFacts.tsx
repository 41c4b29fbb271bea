import type {
  PendingMachine,
  PendingMachine_SwitchPort as SwitchPort,
} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import type {Machine} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import type {ReactNode} from 'react';
import {Card, type Entry, KeyValues} from '../../ui/blocks.tsx';
import {CopyButton} from '../../ui/CopyButton.tsx';
import {formatBytes, formatDiskBytes} from '../../ui/format.ts';
import {RelativeTime} from '../../ui/RelativeTime.tsx';

/** What one reads on the box itself stands large: people hold a phone beside the label. */
export function BoxFacts({pending}: {readonly pending: PendingMachine}) {
  const {machine, bmcMacAddress, bmcIpAddress, switchPorts} = pending;
  if (!machine) return null;
  const others = machine.macAddresses.filter(mac => mac !== machine.macAddress);
  const entries: readonly Entry[] = [
    ['Other MACs', others.length > 0 && <MacList macs={others} />],
    ['BMC', bmcMacAddress && <Copied text={bmcMacAddress} what="the MAC of the BMC" />],
    ['BMC address', bmcIpAddress && <Copied text={bmcIpAddress} what="the address of the BMC" />],
    ['UUID', machine.uuid && <Copied text={machine.uuid} what="the UUID" />],
    ['Hardware', hardwareText(machine)],
    ['First seen', <RelativeTime time={machine.createTime} />],
    ['Last seen', <RelativeTime time={machine.lastSeenTime} empty="never" />],
    ['Id', <Copied text={machine.id} what="the id" />],
  ];
  return (
    <Card title="On the box">
      <dl className="box-labels">
        <BoxLabel name="Serial number" value={machine.serviceTag} />
        <BoxLabel name="Boots from" value={machine.macAddress} />
        <BoxLabel name="Model" value={`${machine.manufacturer} ${machine.product}`.trim()} />
        <div>
          <dt>Plugged into</dt>
          <dd>
            {switchPorts.length === 0 ? (
              <span className="muted">No switch has said (LLDP)</span>
            ) : (
              switchPorts.map(port => <PortLine key={port.interface} port={port} />)
            )}
          </dd>
        </div>
      </dl>
      <KeyValues entries={entries.map(([name, value]): Entry => [name, value || undefined])} />
    </Card>
  );
}

const BoxLabel = ({name, value}: {readonly name: string; readonly value: string}) => (
  <div>
    <dt>{name}</dt>
    <dd>
      {value === '' ? (
        <span className="muted">Not known</span>
      ) : (
        <Copied text={value} what={`the ${name.toLowerCase()}`} />
      )}
    </dd>
  </div>
);

const PortLine = ({port}: {readonly port: SwitchPort}) => (
  <div>
    <strong>
      {port.switch} {port.port}
    </strong>{' '}
    <span className="muted">
      {port.interface}
      {port.vlanId > 0 && ` · VLAN ${port.vlanId}`}
    </span>
  </div>
);

const Copied = ({text, what}: {readonly text: string; readonly what: string}): ReactNode => (
  <span className="copied">
    <span className="mono">{text}</span>
    <CopyButton text={text} what={what} />
  </span>
);

const MacList = ({macs}: {readonly macs: readonly string[]}) => (
  <span className="mono">
    {macs.map(mac => (
      <div key={mac}>{mac}</div>
    ))}
  </span>
);

function hardwareText({hardware}: Machine): string | undefined {
  if (!hardware) return undefined;
  const {cpuThreads, cpuModel, memoryBytes, diskCount, diskBytes, firmwareMode} = hardware;
  return [
    cpuThreads > 0 && `${cpuThreads} threads${cpuModel && ` (${cpuModel})`}`,
    memoryBytes > 0n && formatBytes(memoryBytes),
    diskCount > 0 && `${diskCount} disks, ${formatDiskBytes(diskBytes)}`,
    firmwareMode.toUpperCase(),
  ]
    .filter(Boolean)
    .join(' · ');
}
