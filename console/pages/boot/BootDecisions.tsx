import {
  BootAction,
  type BootDecision,
  BootService,
  type ListBootDecisionsResponse,
  type MachineBootDecision,
} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {Code} from '@connectrpc/connect';
import {useNavigate, useSearch} from '@tanstack/react-router';
import {useCallback} from 'react';
import type {TableColumn} from '../../table/columns.ts';
import {KeysetTable} from '../../table/KeysetTable.tsx';
import {useKeysetRows} from '../../table/use-keyset-rows.ts';
import {EmptyState} from '../../ui/states.tsx';
import {MachineFilter} from '../machines/MachineFilter.tsx';
import {ImageLink} from '../images/ImageLink.tsx';
import {MachineLink} from '../machines/MachineLink.tsx';
import {bootTargetWord} from './boot-words.ts';

const pageSize = 50;
const rowsOf = ({bootDecisions}: ListBootDecisionsResponse): readonly MachineBootDecision[] =>
  bootDecisions;

const columns: readonly TableColumn<MachineBootDecision>[] = [
  {
    id: 'machine',
    header: 'Machine',
    widthPx: 160,
    isFixed: true,
    onPhone: true,
    cell: ({machineId}) => <MachineLink id={machineId} />,
  },
  {
    id: 'boots',
    header: 'Would boot now',
    widthPx: 240,
    isFixed: true,
    onPhone: true,
    cell: ({decision}) => <Decision decision={decision} />,
  },
  {
    id: 'because',
    header: 'Because',
    widthPx: 320,
    grows: true,
    cell: ({decision}) => <span title={decision?.reason}>{decision?.reason}</span>,
  },
  {
    id: 'then',
    header: 'After that',
    widthPx: 220,
    cell: ({standing}) => standing && <Decision decision={standing} />,
  },
];

/** What each machine would get if it asked now, and why. */
export function BootDecisions() {
  const {filter = ''} = useSearch({from: '/shell/boot'});
  const navigate = useNavigate({from: '/boot'});
  const list = useKeysetRows(BootService.method.listBootDecisions, {pageSize, filter}, rowsOf);
  const explain = useCallback(
    ({machineId}: MachineBootDecision) =>
      void navigate({search: old => ({...old, explain: machineId})}),
    [navigate],
  );
  const isRefused = list.error?.code === Code.InvalidArgument;
  return (
    <>
      <MachineFilter
        filter={filter}
        onFilter={filter =>
          void navigate({
            search: old => ({...old, filter: filter || undefined}),
            resetScroll: false,
          })
        }
        error={list.error}
      />
      <KeysetTable
        label="What machines would boot"
        attempt={isRefused ? 'use this filter' : 'tell what machines would boot'}
        columns={columns}
        list={list}
        rowId={({machineId}) => machineId}
        onOpen={explain}
        empty={
          <EmptyState icon="boot" title="No machine meets this filter">
            <p>
              <code>muster boot decisions --filter 'state = READY'</code> tells the same.
            </p>
          </EmptyState>
        }
      />
    </>
  );
}

function Decision({decision}: {readonly decision: BootDecision | undefined}) {
  if (!decision) return null;
  const {action, imageId} = decision;
  const word = bootTargetWord(action);
  if (action !== BootAction.IMAGE) return <span>{word}</span>;
  return (
    <>
      {word} <ImageLink id={imageId} />
    </>
  );
}
