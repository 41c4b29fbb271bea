import {type DiffLine, type DiffPart, diffLines, foldSame} from './line-diff.ts';
import {plural} from '../ui/format.ts';

const words = {same: '', added: 'Added: ', removed: 'Removed: '} as const;
const signs = {same: ' ', added: '+', removed: '−'} as const;

/** Two texts, line by line: readable without an editor, by screen readers and on paper. */
export function LineDiff({before, after}: {readonly before: string; readonly after: string}) {
  const lines = diffLines(before, after);
  if (lines.every(({kind}) => kind === 'same')) return <p className="muted">Nothing differs.</p>;
  return (
    <div className="line-diff" role="group" tabIndex={0} aria-label="What differs">
      {foldSame(lines).map(part => (
        <Part key={keyOf(part)} part={part} />
      ))}
    </div>
  );
}

const isFolded = (part: DiffPart): part is {readonly skipped: number} => 'skipped' in part;
const keyOf = (part: DiffPart): string =>
  isFolded(part) ? `skipped ${part.skipped}` : lineKey(part[0]);
const lineKey = (line: DiffLine | undefined): string => `${line?.kind} ${line?.number}`;

function Part({part}: {readonly part: DiffPart}) {
  if (isFolded(part))
    return <div className="folded">{plural(part.skipped, 'line')} that did not change</div>;
  return part.map(line => (
    <div key={lineKey(line)} data-kind={line.kind}>
      <span className="line-number">{line.number}</span>
      <span aria-hidden="true">{signs[line.kind]}</span>
      <code>
        <span className="visually-hidden">{words[line.kind]}</span>
        {line.text}
      </code>
    </div>
  ));
}
