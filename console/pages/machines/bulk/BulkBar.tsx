import {useState} from 'react';
import {useOperateReason} from '../../../api/caller.ts';
import {Button} from '../../../ui/Button.tsx';
import {formatCount, plural} from '../../../ui/format.ts';
import {type BulkAction, bulkActions} from './actions.ts';
import {BulkDialog} from './BulkDialog.tsx';
import {bulkMachinesMax, type BulkSelection, countOf} from './selection.ts';

type BulkBarProps = {
  readonly selection: BulkSelection;
  /** All that meet the filter, when that is more than what is marked. */
  readonly all: BulkSelection | undefined;
  readonly onSelectAll: () => void;
  readonly onClear: () => void;
};

/** What can be done to the machines that are marked. */
export function BulkBar({selection, all, onSelectAll, onClear}: BulkBarProps) {
  const [action, setAction] = useState<BulkAction>();
  const mayNot = useOperateReason();
  const count = countOf(selection);
  const tooMany =
    count > bulkMachinesMax
      ? `One operation takes at most ${formatCount(bulkMachinesMax)} machines: narrow the filter`
      : undefined;
  return (
    <div className="bulk-bar" role="toolbar" aria-label="Selected machines">
      <strong>{plural(count, 'machine')} selected</strong>
      {all && (
        <Button kind="quiet" onClick={onSelectAll}>
          Select all {formatCount(countOf(all))} of this filter
        </Button>
      )}
      {tooMany && <span role="status">{tooMany}</span>}
      <span className="spacer" />
      {bulkActions.map(item => (
        <Button
          key={item.label}
          kind={item.isDestructive ? 'danger' : 'plain'}
          icon={item.icon}
          disabledReason={mayNot ?? tooMany}
          onClick={() => setAction(item)}
        >
          {item.label}
        </Button>
      ))}
      <Button kind="quiet" icon="close" onClick={onClear}>
        Clear
      </Button>
      {action && (
        <BulkDialog
          action={action}
          selection={selection}
          onClose={() => setAction(undefined)}
          onStarted={() => {
            setAction(undefined);
            onClear();
          }}
        />
      )}
    </div>
  );
}
