import {useMemo, useState} from 'react';
import {useOperateReason} from '../../../api/caller.ts';
import {LeaveGuard} from '../../../forms/LeaveGuard.tsx';
import {PageHeader} from '../../../ui/blocks.tsx';
import {Button, ButtonLink} from '../../../ui/Button.tsx';
import {CommandLine} from '../../../ui/CommandLine.tsx';
import {ConfirmDialog} from '../../../ui/Dialog.tsx';
import {plural} from '../../../ui/format.ts';
import {EmptyState, ErrorState} from '../../../ui/states.tsx';
import {CsvSource, example, mistakeOf} from './CsvSource.tsx';
import {type CsvFile, readCsvFile} from './csv-file.ts';
import {HeadingsCard} from './HeadingsCard.tsx';
import {ImportVerdict} from './ImportVerdict.tsx';
import {OutcomeTable} from './OutcomeTable.tsx';
import {type Counts, countsOf, outcomesOf} from './outcomes.ts';
import {type Import, type Source, useImport} from './use-import.ts';
import './import.css';

const nothing: Source = {name: undefined, text: ''};

/** Machines that are ordered or racked: registered before they boot for the first time. */
export function ImportPage() {
  const [source, setSource] = useState(nothing);
  const imported = useImport(source);
  const file = useMemo(() => readCsvFile(source.text), [source.text]);
  const {report, hasRun} = imported;
  const outcomes = useMemo(() => (report ? outcomesOf(file, report) : []), [file, report]);
  const counts = report && countsOf(outcomes, report);
  const headings = file.headings?.cells ?? [];
  const isTyped = source.name === undefined && source.text.trim() !== '';
  const change = (next: Source) => {
    imported.forget();
    setSource(next);
  };
  return (
    <div className="page">
      <LeaveGuard isDirty={isTyped && !(hasRun && report?.applied === true)} />
      <PageHeader
        title="Import expected machines"
        actions={
          <ButtonLink to="/machines" icon="left">
            Machines
          </ButtonLink>
        }
      />
      <CsvSource source={source} rowCount={file.rows.length} onChange={change} />
      {headings.length > 0 && <HeadingsCard headings={headings} />}
      {source.text.trim() === '' ? (
        <NothingYet onExample={() => change({name: undefined, text: example})} />
      ) : (
        <ImportActions imported={imported} source={source} file={file} counts={counts} />
      )}
      <ErrorState error={imported.error} attempt="import the file" />
      {report && counts && (
        <>
          <ImportVerdict
            file={file}
            report={report}
            outcomes={outcomes}
            counts={counts}
            hasRun={hasRun}
          />
          {outcomes.length > 0 && (
            <OutcomeTable headings={headings} outcomes={outcomes} isApplied={report.applied} />
          )}
        </>
      )}
    </div>
  );
}

type ActionsProps = {
  readonly imported: Import;
  readonly source: Source;
  readonly file: CsvFile;
  readonly counts: Counts | undefined;
};

/** The dry run comes first: importing is offered when it has said what would happen. */
function ImportActions({imported, source, file, counts}: ActionsProps) {
  const reason = useOperateReason();
  const [asks, setAsks] = useState(false);
  const {report, hasRun, isChecking, isRunning} = imported;
  const mistake =
    mistakeOf(source.text) ??
    (file.rows.length === 0 ? 'There is no line with a machine below the headings' : undefined);
  const {good, bad: left} = counts ?? {good: 0, bad: 0};
  const isDone = hasRun && report?.applied === true;
  const first = report ? undefined : 'Dry run first: it says what would happen';
  const none = good === 0 ? 'No line can be imported as it is' : undefined;
  if (isDone) return null;
  return (
    <div className="toolbar">
      <Button
        kind={report ? 'plain' : 'primary'}
        icon="check"
        busy={isChecking}
        disabledReason={reason ?? mistake}
        onClick={imported.check}
      >
        Dry run
      </Button>
      <Button
        kind={report && good > 0 ? 'primary' : 'plain'}
        icon="upload"
        busy={isRunning}
        disabledReason={reason ?? mistake ?? first ?? none}
        onClick={() => (left > 0 ? setAsks(true) : imported.run(false, () => undefined))}
      >
        {importWords(good, left)}
      </Button>
      <span className="muted" role="status">
        {isChecking && `Looking at ${plural(file.rows.length, 'line')} …`}
        {isRunning && `Registering ${plural(good, 'machine')}; boxes that boot now wait for it …`}
      </span>
      {asks && (
        <PartialDialog
          good={good}
          left={left}
          isBusy={isRunning}
          onConfirm={() => imported.run(true, () => setAsks(false))}
          onClose={() => setAsks(false)}
        />
      )}
    </div>
  );
}

const importWords = (good: number, left: number): string => {
  if (good === 0) return 'Import';
  return left === 0
    ? `Import ${plural(good, 'machine')}`
    : `Import the ${plural(good, 'good line')} …`;
};

function PartialDialog({
  good,
  left,
  isBusy,
  onConfirm,
  onClose,
}: {
  readonly good: number;
  readonly left: number;
  readonly isBusy: boolean;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}) {
  return (
    <ConfirmDialog
      title={`Leave ${plural(left, 'line')} out?`}
      action={`Import ${plural(good, 'machine')}`}
      busy={isBusy}
      onConfirm={onConfirm}
      onClose={onClose}
    >
      <p>
        {plural(good, 'machine is', 'machines are')} registered as expected, and let in when they
        boot. {plural(left, 'line has', 'lines have')} problems and come to nothing; correct them
        and import them by themselves, which “Only the lines to correct” is for.
      </p>
    </ConfirmDialog>
  );
}

function NothingYet({onExample}: {readonly onExample: () => void}) {
  return (
    <EmptyState icon="machine" title="A line for each machine, and one of headings above">
      <p>
        A machine needs a serial number, a UUID or a MAC address. It is EXPECTED until it boots, and
        is then let in with the name, groups, templates and labels of its line.
      </p>
      <Button icon="template" onClick={onExample}>
        Begin with an example
      </Button>
      <CommandLine command="muster machines import rack7.csv --dry-run" />
    </EmptyState>
  );
}
