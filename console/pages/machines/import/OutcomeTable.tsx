import {Link} from '@tanstack/react-router';
import {useState} from 'react';
import {Checkbox} from '../../../forms/fields.tsx';
import {Badge} from '../../../ui/Badge.tsx';
import {Card} from '../../../ui/blocks.tsx';
import {Button} from '../../../ui/Button.tsx';
import {formatCount} from '../../../ui/format.ts';
import type {Look} from '../../../ui/tones.ts';
import {MachineLink} from '../MachineLink.tsx';
import {rowWords} from './headings.ts';
import type {Outcome} from './outcomes.ts';

/** More rows are shown when somebody asks: two thousand make a page slow. */
const rowsStep = 200;

type OutcomeTableProps = {
  readonly headings: readonly string[];
  readonly outcomes: readonly Outcome[];
  /** The good lines are registered, not only well. */
  readonly isApplied: boolean;
};

/** Line by line: what would become of it, or what is wrong with it and what to do. */
export function OutcomeTable({headings, outcomes, isApplied}: OutcomeTableProps) {
  const [onlyBad, setOnlyBad] = useState(false);
  const [shownMax, setShownMax] = useState(rowsStep);
  const bad = outcomes.filter(({result}) => result === 'bad');
  const rows = onlyBad ? bad : outcomes;
  const shown = rows.slice(0, shownMax);
  return (
    <Card
      flush
      title="Line by line"
      actions={
        bad.length > 0 && (
          <Checkbox
            label={`Only the ${formatCount(bad.length)} with problems`}
            checked={onlyBad}
            onChange={({target}) => setOnlyBad(target.checked)}
          />
        )
      }
    >
      <table className="outcome-table">
        <caption className="visually-hidden">Lines of the file</caption>
        <thead>
          <tr>
            <th scope="col">Line</th>
            <th scope="col">Machine</th>
            <th scope="col">Result</th>
            <th scope="col">What comes of it</th>
          </tr>
        </thead>
        <tbody>
          {shown.map(outcome => (
            <OutcomeRow
              key={outcome.row.line}
              headings={headings}
              outcome={outcome}
              isApplied={isApplied}
            />
          ))}
        </tbody>
      </table>
      {shown.length < rows.length && (
        <p className="rows-none">
          {formatCount(rows.length - shown.length)} more lines.{' '}
          <Button onClick={() => setShownMax(shownMax + rowsStep)}>Show more</Button>
        </p>
      )}
    </Card>
  );
}

const looks: Readonly<Record<'good' | 'registered' | 'left' | 'bad' | 'unread', Look>> = {
  good: {word: 'Fine', tone: 'ok', icon: 'check'},
  registered: {word: 'Registered', tone: 'ok', icon: 'check'},
  left: {word: 'Left out', tone: 'bad', icon: 'cross'},
  bad: {word: 'Problem', tone: 'bad', icon: 'warning'},
  unread: {word: 'Not looked at', tone: 'idle', icon: 'dash'},
};

function lookOf({result}: Outcome, isApplied: boolean): Look {
  if (!isApplied || result === 'unread') return looks[result];
  return result === 'good' ? looks.registered : looks.left;
}

function OutcomeRow({
  headings,
  outcome,
  isApplied,
}: {
  readonly headings: readonly string[];
  readonly outcome: Outcome;
  readonly isApplied: boolean;
}) {
  const {row, problems, machineId} = outcome;
  const {machine, gets} = rowWords(headings, row.cells);
  const names = machine.map((name, index) => (
    <span key={index} className="mono">
      {name}
    </span>
  ));
  return (
    <tr>
      <th scope="row">{row.line}</th>
      <td>
        {machineId === undefined ? (
          <span className="outcome-names">{names}</span>
        ) : (
          <Link to="/machines/$id" params={{id: machineId}} className="outcome-names">
            {names}
          </Link>
        )}
        {machine.length === 0 && (
          <span className="mono muted">{row.text.slice(0, 120) || '–'}</span>
        )}
      </td>
      <td>
        <Badge look={lookOf(outcome, isApplied)} />
      </td>
      <td>
        {problems.map(({column, problem, remedy}, index) => (
          <div key={index}>
            {column !== '' && <strong className="mono">{column}: </strong>}
            <Sentence text={problem} />. <span className="muted">{remedy}.</span>
          </div>
        ))}
        {outcome.result === 'good' && (
          <span className="muted">{['Expected until it is seen', ...gets].join(' · ')}</span>
        )}
      </td>
    </tr>
  );
}

/** A machine that is known already is named as people call it, and leads there. */
function Sentence({text}: {readonly text: string}) {
  const [, before = '', id, after] = /^(.*)"([0-9a-f]{8}-[0-9a-f-]{27})"(.*)$/s.exec(text) ?? [];
  if (id === undefined) return text;
  return (
    <>
      {before}
      <MachineLink id={id} />
      {after}
    </>
  );
}
