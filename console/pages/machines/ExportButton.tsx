import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {createClient} from '@connectrpc/connect';
import {useTransport} from '@connectrpc/connect-query';
import {useRef, useState} from 'react';
import {explainError} from '../../api/errors.ts';
import {Button} from '../../ui/Button.tsx';
import {formatCount, plural} from '../../ui/format.ts';
import {showToast} from '../../ui/Toast.tsx';
import {exportCsv, saveFile} from './export-csv.ts';

/** All machines of the filter as CSV; pressed again while it runs, it stops. */
export function ExportButton({
  filter,
  orderBy,
}: {
  readonly filter: string;
  readonly orderBy: string;
}) {
  const transport = useTransport();
  const [count, setCount] = useState<number>();
  const running = useRef<AbortController>(undefined);

  const run = async () => {
    const stopping = new AbortController();
    running.current = stopping;
    setCount(0);
    let rows = 0;
    try {
      const blob = await exportCsv({
        client: createClient(MachineService, transport),
        filter,
        orderBy,
        signal: stopping.signal,
        onProgress: done => {
          rows = done;
          setCount(done);
        },
      });
      saveFile(`machines-${new Date().toISOString().slice(0, 10)}.csv`, blob);
      showToast(`Exported ${plural(rows, 'machine')}`);
    } catch (error) {
      if (!stopping.signal.aborted)
        showToast(explainError(error, 'export the machines').message, {tone: 'bad'});
    } finally {
      running.current = undefined;
      setCount(undefined);
    }
  };
  return (
    <Button
      icon={count === undefined ? 'download' : 'close'}
      onClick={() => (running.current ? running.current.abort() : void run())}
    >
      {count === undefined ? 'CSV' : `Stop at ${formatCount(count)}`}
    </Button>
  );
}
