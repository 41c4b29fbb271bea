import type {ImportExpectedMachinesResponse as Report} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import {Button, ButtonLink} from '../../../ui/Button.tsx';
import {formatCount, plural} from '../../../ui/format.ts';
import {Notice} from '../../../ui/states.tsx';
import {saveFile} from '../export-csv.ts';
import type {CsvFile} from './csv-file.ts';
import {badLinesCsv, type Outcome, problemsCsv, problemsOfFile} from './outcomes.ts';

type VerdictProps = {
  readonly file: CsvFile;
  readonly report: Report;
  readonly outcomes: readonly Outcome[];
  /** It was no dry run. */
  readonly hasRun: boolean;
};

/** The whole of it in a sentence, and what to go on with. */
export function ImportVerdict({file, report, outcomes, hasRun}: VerdictProps) {
  const ofFile = problemsOfFile(file, report);
  const bad = outcomes.filter(({result}) => result === 'bad');
  const {problems, applied} = report;
  return (
    <div aria-live="polite">
      <Notice {...toneOf(report, ofFile.length > 0)}>
        <strong>{sentenceOf(report, bad.length, hasRun)}</strong>
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
            {bad.length > 0 && (
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

function sentenceOf({rowCount, goodCount, applied}: Report, badCount: number, hasRun: boolean) {
  const lines = plural(rowCount, 'line');
  if (applied && goodCount === rowCount)
    return `Registered ${plural(goodCount, 'machine')}: each is expected until it is seen`;
  if (applied)
    return `Registered ${plural(goodCount, 'machine')}; ${plural(badCount, 'line')} of ${lines} left out`;
  const nothing = hasRun ? 'Nothing was registered' : 'Nothing was changed';
  if (badCount === 0 && goodCount === rowCount && rowCount > 0)
    return `${rowCount === 1 ? 'The line is' : `All ${lines} are`} fine. ${nothing}`;
  if (badCount === 0) return `No line was looked at. ${nothing}`;
  return `${formatCount(goodCount)} of ${lines} fine, ${formatCount(badCount)} with problems. ${nothing}`;
}
