import type {ImportExpectedMachinesResponse as Report} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import {Button, ButtonLink} from '../../../ui/Button.tsx';
import {formatCount, plural} from '../../../ui/format.ts';
import {Notice} from '../../../ui/states.tsx';
import {saveFile} from '../export-csv.ts';
import type {CsvFile} from './csv-file.ts';
import {badLinesCsv, type Counts, type Outcome, problemsCsv, problemsOfFile} from './outcomes.ts';

type VerdictProps = {
  readonly file: CsvFile;
  readonly report: Report;
  readonly outcomes: readonly Outcome[];
  readonly counts: Counts;
  /** It was no dry run. */
  readonly hasRun: boolean;
};

/** The whole of it in a sentence, and what to go on with. */
export function ImportVerdict({file, report, outcomes, counts, hasRun}: VerdictProps) {
  const ofFile = problemsOfFile(file, report, counts);
  const {problems, applied} = report;
  return (
    <div aria-live="polite">
      <Notice {...toneOf(report, ofFile.length > 0)}>
        <strong>{sentenceOf(counts, applied, hasRun)}</strong>
        {ofFile.map(({column, problem, remedy}, index) => (
          <p key={index}>
            {column !== '' && <strong className="mono">{column}: </strong>}
            {problem}. {remedy}.
          </p>
        ))}
        {(problems.length > 0 || applied) && (
          <div className="import-more">
            {applied && (
              <ButtonLink
                to="/machines"
                search={{filter: 'state = EXPECTED', order: 'create_time desc'}}
                icon="machine"
              >
                Show the expected machines
              </ButtonLink>
            )}
            {problems.length > 0 && (
              <Button icon="download" onClick={() => save('problems', problemsCsv(report))}>
                Problems as CSV
              </Button>
            )}
            {!counts.isUnread && counts.bad > 0 && (
              <Button
                icon="download"
                onClick={() => save('lines-to-correct', badLinesCsv(file, outcomes))}
              >
                Only the lines to correct
              </Button>
            )}
          </div>
        )}
      </Notice>
    </div>
  );
}

const save = (name: string, text: string) =>
  saveFile(`${name}.csv`, new Blob([text], {type: 'text/csv'}));

function toneOf({problems, goodCount}: Report, isOfFile: boolean) {
  if (problems.length === 0) return {tone: 'ok', icon: 'check'} as const;
  return {tone: isOfFile || goodCount === 0 ? 'bad' : 'warn', icon: 'warning'} as const;
}

function sentenceOf({all, good, bad, isUnread}: Counts, applied: boolean, hasRun: boolean): string {
  const lines = plural(all, 'line');
  if (applied && bad === 0)
    return `Registered ${plural(good, 'machine')}: each is expected until it is seen`;
  if (applied)
    return `Registered ${plural(good, 'machine')}; ${formatCount(bad)} of ${lines} left out`;
  const nothing = hasRun ? 'Nothing was registered' : 'Nothing was changed';
  if (isUnread || all === 0) return `No line was looked at. ${nothing}`;
  if (bad === 0) return `${all === 1 ? 'The line is' : `All ${lines} are`} fine. ${nothing}`;
  return `${formatCount(good)} of ${lines} fine, ${formatCount(bad)} with problems. ${nothing}`;
}
