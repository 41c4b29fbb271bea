import type {Machine} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {useNavigate, useSearch} from '@tanstack/react-router';
import {useCallback, useMemo, useState} from 'react';
import {explainError} from '../../api/errors.ts';
import {chosenColumns, columnsText} from '../../table/columns.ts';
import {ColumnChooser} from '../../table/ColumnChooser.tsx';
import {DataTable} from '../../table/DataTable.tsx';
import type {Selection} from '../../table/use-table-model.ts';
import {PageHeader} from '../../ui/blocks.tsx';
import {Button, ButtonLink} from '../../ui/Button.tsx';
import {formatCount, formatTotal} from '../../ui/format.ts';
import {EmptyState, ErrorState, Notice} from '../../ui/states.tsx';
import {showToast} from '../../ui/Toast.tsx';
import {BulkBar} from './bulk/BulkBar.tsx';
import {bulkMachinesMax, type BulkSelection} from './bulk/selection.ts';
import {ExportButton} from './ExportButton.tsx';
import {machineColumns} from './machine-columns.tsx';
import {MachineFacets} from './MachineFacets.tsx';
import {MachineFilter} from './MachineFilter.tsx';
import {SavedViews} from './SavedViews.tsx';
import {useMachineRows} from './use-machine-rows.ts';
import './machines.css';

const nothing: Selection = new Set();

export function MachinesPage() {
  const {filter = '', order = '', columns} = useSearch({from: '/shell/machines'});
  const setView = useSetView();
  const list = useMachineRows(filter, order);
  const [selection, setSelection] = useState<Selection>(nothing);
  const [isAll, setAll] = useState(false);
  const visible = useMemo(() => chosenColumns(machineColumns, columns), [columns]);
  const open = useOpenMachine();

  const total = list.head && Number(list.head.totalSize);
  const select = (next: Selection) => {
    setSelection(next);
    setAll(false);
  };
  const selectRange = async (from: number, to: number) => {
    const count = to + 1 - from;
    if (count > bulkMachinesMax)
      return showToast(
        `Cannot mark ${formatCount(count)} rows: one operation takes at most ${formatCount(bulkMachinesMax)} machines`,
        {tone: 'bad'},
      );
    try {
      select(new Set([...selection, ...(await list.idsBetween(from, to))]));
    } catch (error) {
      showToast(explainError(error, 'mark these rows').message, {tone: 'bad'});
    }
  };
  const onFilter = (filter: string) => {
    select(nothing);
    setView({filter});
  };
  const all: BulkSelection | undefined =
    total !== undefined && total > selection.size && !isAll
      ? {kind: 'filter', filter, count: total}
      : undefined;

  return (
    <div className="page fill">
      <PageHeader
        title="Machines"
        beside={
          <span className="muted" role="status">
            {total !== undefined && formatTotal(total, list.head?.totalEstimated)}
          </span>
        }
        actions={
          <>
            <SavedViews view={{filter, order}} onView={setView} />
            <ColumnChooser
              columns={machineColumns}
              chosen={visible}
              onChange={chosen => setView({columns: columnsText(machineColumns, chosen)})}
            />
            <ExportButton filter={filter} orderBy={order} />
            <ButtonLink to="/machines/import" icon="upload">
              Import
            </ButtonLink>
          </>
        }
      />
      <MachineFilter filter={filter} onFilter={onFilter} error={list.error} />
      <ErrorState error={list.error} attempt="list the machines" onRetry={list.refresh} />
      {list.head?.similar && (
        <Notice tone="info" icon="info">
          Nothing holds these words; these machines hold words that are like them.
        </Notice>
      )}
      {list.isOutdated && (
        <Notice tone="info" icon="refresh">
          Machines came or went since this list was loaded.{' '}
          <Button kind="quiet" onClick={list.refresh}>
            Load it again
          </Button>
        </Notice>
      )}
      {selection.size > 0 && (
        <BulkBar
          selection={
            isAll && total !== undefined
              ? {kind: 'filter', filter, count: total}
              : {kind: 'ids', ids: [...selection]}
          }
          all={all}
          onSelectAll={() => setAll(true)}
          onClear={() => select(nothing)}
        />
      )}
      <div className="machines-body fill">
        <MachineFacets filter={filter} onFilter={onFilter} />
        <DataTable
          label="Machines"
          columns={machineColumns}
          visible={visible}
          source={list.source}
          rowId={idOf}
          isLoading={list.isLoading}
          question={`${filter}|${order}`}
          onView={list.onView}
          order={order}
          onOrder={order => setView({order})}
          selection={selection}
          onSelect={select}
          onSelectRange={(from, to) => void selectRange(from, to)}
          onOpen={open}
          fills
          empty={!list.error && <NoMachines isFiltered={filter !== ''} />}
        />
      </div>
    </div>
  );
}

const idOf = ({id}: Machine): string => id;

/** The address holds what is shown: it can be sent to somebody, and the back button works. */
function useSetView() {
  const navigate = useNavigate({from: '/machines'});
  return useCallback(
    (change: {
      readonly filter?: string | undefined;
      readonly order?: string | undefined;
      readonly columns?: string | undefined;
    }) => void navigate({search: old => ({...old, ...change})}),
    [navigate],
  );
}

function useOpenMachine() {
  const navigate = useNavigate();
  return useCallback(
    ({id}: Machine) => void navigate({to: '/machines/$id', params: {id}}),
    [navigate],
  );
}

function NoMachines({isFiltered}: {readonly isFiltered: boolean}) {
  return isFiltered ? (
    <EmptyState icon="search" title="No machine meets this filter">
      <p>Take a condition away, or look for a part of a word.</p>
    </EmptyState>
  ) : (
    <EmptyState icon="machine" title="No machine has been here yet">
      <p>
        Let one boot over the network from this site’s edge and it appears by itself. To try it
        without hardware: <code>npm run lab</code> starts four virtual machines.
      </p>
      <ButtonLink to="/machines/import" icon="upload">
        Import those that are expected
      </ButtonLink>
    </EmptyState>
  );
}
