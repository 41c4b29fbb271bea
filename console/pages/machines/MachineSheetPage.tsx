import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {useParams} from '@tanstack/react-router';
import {KeyValues} from '../../ui/blocks.tsx';
import {Button, ButtonLink} from '../../ui/Button.tsx';
import {formatBytes, formatDiskBytes} from '../../ui/format.ts';
import {AwaitedPage} from '../../ui/page-states.tsx';
import {QrCode} from '../../ui/QrCode.tsx';
import {machineName} from './machine-name.ts';
import './sheet.css';

/** For the rack: what it is, and a code that leads a phone to its page. Prints on one page. */
export function MachineSheetPage() {
  const {id} = useParams({from: '/machines/$id/sheet'});
  const {data, error, refetch} = useQuery(MachineService.method.getMachine, {id});
  const machine = data?.machine;
  if (!machine)
    return (
      <main className="sheet">
        <AwaitedPage
          title="Sheet of a machine"
          error={error}
          attempt="load the machine"
          onRetry={() => void refetch()}
        />
      </main>
    );
  const {hardware, labels} = machine;
  const address = `${globalThis.location.origin}/machines/${id}`;
  return (
    <main className="sheet">
      <div className="sheet-tools">
        <ButtonLink to="/machines/$id" params={{id}} icon="left">
          Back
        </ButtonLink>
        <Button kind="primary" icon="print" onClick={() => globalThis.print()}>
          Print
        </Button>
      </div>
      <article className="sheet-paper">
        <div>
          <h1>{machineName(machine)}</h1>
          <p>{`${machine.manufacturer} ${machine.product}`.trim()}</p>
        </div>
        <QrCode text={address} label={`Code that leads to ${address}`} />
        <KeyValues
          entries={[
            ['Serial number', machine.serviceTag],
            ['UUID', <span className="mono">{machine.uuid}</span>],
            ['Boot MAC', <span className="mono">{machine.macAddress}</span>],
            [
              'Labels',
              Object.entries(labels)
                .map(([key, value]) => `${key}=${value}`)
                .join(', '),
            ],
            ['CPU', hardware && `${hardware.cpuThreads} threads · ${hardware.cpuModel}`],
            ['Memory', hardware && formatBytes(hardware.memoryBytes)],
            ['Disks', hardware && `${hardware.diskCount} · ${formatDiskBytes(hardware.diskBytes)}`],
            ['Description', machine.description],
            ['Address', <span className="mono">{address}</span>],
          ]}
        />
      </article>
    </main>
  );
}
