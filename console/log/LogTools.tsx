import {useEffect} from 'react';
import {Button, IconButton} from '../ui/Button.tsx';
import {CopyButton} from '../ui/CopyButton.tsx';
import {formatCount, plural} from '../ui/format.ts';
import {Icon} from '../ui/icons.tsx';
import {announce} from '../ui/LiveRegion.tsx';
import {downloadLines, plainLines} from './log-lines.ts';
import {type LineRange, linesText, matchesMax} from './log-search.ts';
import '../forms/fields.css';

type LogToolsProps = {
  readonly lines: readonly {readonly text: string}[];
  readonly leftOut: number;
  readonly fileName: string;
  readonly search: string;
  readonly onSearch: (text: string) => void;
  readonly found: number;
  readonly at: number;
  readonly onMove: (by: number) => void;
  readonly wraps: boolean;
  readonly onWrap: (wraps: boolean) => void;
  readonly range: LineRange | undefined;
  readonly onChoose: (lines: string | undefined) => void;
};

/** Search, copy and download of a log. "/" goes to the search. */
export function LogTools(props: LogToolsProps) {
  const {lines, leftOut, search, found, at, onMove, range} = props;
  const words =
    search === ''
      ? ''
      : found === 0
        ? 'Not in this log'
        : `${formatCount(at + 1)} of ${formatCount(found)}${found >= matchesMax ? '+' : ''}`;
  useEffect(() => {
    if (words !== '') announce(words);
  }, [words]);
  return (
    <div className="toolbar log-tools">
      <div className="log-search" data-page-filter>
        <Icon name="search" />
        <input
          className="input"
          aria-label="Find in the log"
          placeholder="Find in the log"
          autoComplete="off"
          spellCheck={false}
          value={search}
          onChange={event => props.onSearch(event.target.value)}
          onKeyDown={event => {
            if (event.key === 'Enter') onMove(event.shiftKey ? -1 : 1);
            else if (event.key === 'Escape' && search !== '') props.onSearch('');
            else return;
            event.preventDefault();
          }}
        />
      </div>
      {search !== '' && (
        <>
          <span className="muted">{words}</span>
          <IconButton icon="up" label="Earlier match" onClick={() => onMove(-1)} />
          <IconButton icon="down" label="Later match" onClick={() => onMove(1)} />
        </>
      )}
      <span className="muted log-count">{plural(lines.length + leftOut, 'line')}</span>
      {range && (
        <span className="log-range">
          Lines {linesText(range)}
          <CopyButton
            text={plainLines(lines.slice(range.from - 1 - leftOut, range.to - leftOut))}
            what="these lines"
          />
          <IconButton
            icon="close"
            label="Choose no lines"
            onClick={() => props.onChoose(undefined)}
          />
        </span>
      )}
      <Button kind="quiet" aria-pressed={props.wraps} onClick={() => props.onWrap(!props.wraps)}>
        {props.wraps ? 'Long lines are wrapped' : 'Wrap long lines'}
      </Button>
      <DownloadButton lines={lines} fileName={props.fileName} />
    </div>
  );
}

export function DownloadButton({lines, fileName}: Pick<LogToolsProps, 'lines' | 'fileName'>) {
  return (
    <Button
      icon="download"
      disabledReason={lines.length === 0 ? 'There are no lines yet' : undefined}
      onClick={() => downloadLines(fileName, lines)}
    >
      Download
    </Button>
  );
}
