import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {
  type ListServicesResponse,
  type Service,
  ServiceService,
} from '@muster/proto/gen/muster/v1/services_pb.ts';
import {useMemo, useState} from 'react';
import {useAction} from '../../api/use-action.ts';
import {useReloadEvery} from '../../api/use-reload.ts';
import {useReason} from '../../api/use-reason.ts';
import {KeysetTable} from '../../table/KeysetTable.tsx';
import {useKeysetRows} from '../../table/use-keyset-rows.ts';
import {Button} from '../../ui/Button.tsx';
import {CommandLine} from '../../ui/CommandLine.tsx';
import {ConfirmDialog} from '../../ui/Dialog.tsx';
import {EmptyState, ErrorState} from '../../ui/states.tsx';
import {JoinCodeDialog} from './JoinCodeDialog.tsx';
import {kindWord, serviceColumns} from './service-columns.tsx';

const pageSize = 100;
/** Services report every 10 s; being seen is no event. */
const reloadMs = 10_000;
const rowsOf = ({services}: ListServicesResponse) => services;

export function ServicesTab() {
  const reason = useReason(Permission.ADMINISTER);
  const [adding, setAdding] = useState(false);
  const [revoking, setRevoking] = useState<Service>();
  const list = useKeysetRows(ServiceService.method.listServices, {pageSize}, rowsOf);
  useReloadEvery([ServiceService], reloadMs);
  const columns = useMemo(() => serviceColumns({reason, onRevoke: setRevoking}), [reason]);
  return (
    <>
      <div className="toolbar">
        <Button kind="primary" icon="plus" disabledReason={reason} onClick={() => setAdding(true)}>
          Let one join
        </Button>
        <Button icon="refresh" onClick={list.refresh}>
          Look again
        </Button>
        <span className="muted">
          Edges answer booting machines; builders make images. Each has a key of its own.
        </span>
      </div>
      <KeysetTable
        label="Edges and builders"
        columns={columns}
        list={list}
        attempt="list the services"
        rowId={({id}) => id}
        empty={
          <EmptyState icon="boot" title="No edge and no builder has joined">
            <p>Without an edge no machine boots from here; without a builder no image is made.</p>
            <CommandLine command="muster service add edge rack-12" />
          </EmptyState>
        }
      />
      {adding && <JoinCodeDialog onClose={() => setAdding(false)} />}
      {revoking && <RevokeDialog service={revoking} onClose={() => setRevoking(undefined)} />}
    </>
  );
}

function RevokeDialog({
  service,
  onClose,
}: {
  readonly service: Service;
  readonly onClose: () => void;
}) {
  const revoke = useAction(ServiceService.method.revokeService, {
    done: () => `${service.name} is no longer let in`,
    onDone: onClose,
  });
  const kind = kindWord(service.kind).toLowerCase();
  return (
    <ConfirmDialog
      title={`Revoke ${kind} ${service.name}?`}
      action={`Revoke ${service.name}`}
      typeToConfirm={service.name}
      busy={revoke.isPending}
      error={<ErrorState error={revoke.error} attempt="revoke the service" />}
      onConfirm={() => revoke.mutate({id: service.id})}
      onClose={onClose}
    >
      <p>
        Its key is worth nothing from now on.{' '}
        {kind === 'edge'
          ? 'Machines behind it get no boot answers until another edge is there.'
          : 'Builds that run on it are given to another builder, or wait for one.'}{' '}
        It cannot be undone: it has to join again with a new code.
      </p>
    </ConfirmDialog>
  );
}
