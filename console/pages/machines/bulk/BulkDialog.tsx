import {
  BulkService,
  CreateBulkRequest_Operation as Action,
} from '@muster/proto/gen/muster/v1/bulk_pb.ts';
import type {Operation} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import {useMutation} from '@connectrpc/connect-query';
import {Link} from '@tanstack/react-router';
import {useState} from 'react';
import {TextField} from '../../../forms/fields.tsx';
import {Button} from '../../../ui/Button.tsx';
import {Dialog} from '../../../ui/Dialog.tsx';
import {plural} from '../../../ui/format.ts';
import {ErrorState} from '../../../ui/states.tsx';
import {showToast} from '../../../ui/Toast.tsx';
import type {BulkAction} from './actions.ts';
import {DryRunOutcome} from './DryRunOutcome.tsx';
import {parseLabels} from '../../../forms/lines.ts';
import {type BulkSelection, countOf, requestOf} from './selection.ts';

type BulkDialogProps = {
  readonly action: BulkAction;
  readonly selection: BulkSelection;
  readonly onClose: () => void;
  readonly onStarted: () => void;
};

/** First what would become of each machine, then the deed. */
export function BulkDialog({action, selection, onClose, onStarted}: BulkDialogProps) {
  const [fields, setFields] = useState({set: '', remove: '', workspace: ''});
  const [typed, setTyped] = useState('');
  const [tried, setTried] = useState<Operation>();
  const dryRun = useMutation(BulkService.method.createBulk, {
    onSuccess: ({operation}) => setTried(operation),
  });
  const run = useMutation(BulkService.method.createBulk, {
    onSuccess: ({operation}) => {
      showToast(
        <>
          {action.label}: begun for {plural(countOf(selection), 'machine')}.{' '}
          {operation && (
            <Link to="/operations/$id" params={{id: operation.id}}>
              Watch it
            </Link>
          )}
        </>,
      );
      onStarted();
    },
  });

  const labels = parseLabels(fields.set, ',');
  const removed = fields.remove.split(/[\s,]+/).filter(Boolean);
  const missing = whatIsMissing(action.action, fields, labels, removed);
  const request = {
    ...requestOf(selection),
    operation: action.action,
    ...(action.action === Action.LABEL && {setLabels: labels.labels, removeLabels: removed}),
    ...(needsWorkspace(action.action) && {workspace: fields.workspace}),
  };
  const sentence = `${action.label.toLowerCase()} ${countOf(selection)}`;
  const notTyped =
    action.isDestructive && typed.trim() !== sentence ? `Type “${sentence}” first` : undefined;
  const set = (change: Partial<typeof fields>) => {
    setFields({...fields, ...change});
    setTried(undefined);
  };

  return (
    <Dialog
      title={`${action.label} ${plural(countOf(selection), 'machine')}`}
      onClose={onClose}
      wide={tried !== undefined}
      actions={
        <>
          <Button
            icon="search"
            busy={dryRun.isPending}
            disabledReason={missing}
            onClick={() => dryRun.mutate({...request, dryRun: true})}
          >
            Dry run
          </Button>
          <Button
            kind={action.isDestructive ? 'danger' : 'primary'}
            icon={action.icon}
            busy={run.isPending}
            disabledReason={missing ?? notTyped}
            onClick={() => run.mutate(request)}
          >
            {action.label}
          </Button>
        </>
      }
    >
      <p>{action.consequence}</p>
      {action.action === Action.LABEL && (
        <>
          <TextField
            label="Set"
            hint="KEY=VALUE, several with commas between"
            placeholder="rack=r7, tier=cold"
            value={fields.set}
            error={labels.mistake}
            onChange={event => set({set: event.target.value})}
          />
          <TextField
            label="Remove"
            hint="Keys"
            value={fields.remove}
            onChange={event => set({remove: event.target.value})}
          />
        </>
      )}
      {needsWorkspace(action.action) && (
        <TextField
          label="Workspace"
          hint="Its name"
          value={fields.workspace}
          onChange={event => set({workspace: event.target.value})}
        />
      )}
      {action.isDestructive && (
        <TextField
          label={`Type “${sentence}” to go on`}
          autoComplete="off"
          value={typed}
          onChange={event => setTyped(event.target.value)}
        />
      )}
      <ErrorState error={dryRun.error} attempt="try this" />
      <ErrorState error={run.error} attempt="begin this" />
      {tried && <DryRunOutcome operationId={tried.id} />}
    </Dialog>
  );
}

const needsWorkspace = (action: Action): boolean =>
  action === Action.ASSIGN || action === Action.RELEASE;

function whatIsMissing(
  action: Action,
  {workspace}: {readonly workspace: string},
  labels: ReturnType<typeof parseLabels>,
  removed: readonly string[],
): string | undefined {
  if (action === Action.LABEL && labels.mistake) return labels.mistake;
  if (action === Action.LABEL && Object.keys(labels.labels).length + removed.length === 0)
    return 'Say which labels';
  if (needsWorkspace(action) && workspace.trim() === '') return 'Say which workspace';
  return undefined;
}
