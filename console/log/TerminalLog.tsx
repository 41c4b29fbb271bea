import type {ReactNode} from 'react';
import {plural} from '../ui/format.ts';
import {LazyTerminal} from './LazyTerminal.tsx';
import {DownloadButton} from './LogTools.tsx';
import type {WatchedLog} from './use-watched-log.ts';
import './log.css';

type TerminalLogProps = {
  readonly label: string;
  readonly log: WatchedLog;
  readonly fileName: string;
  readonly empty: ReactNode;
};

/** What stood on the screen. Search, links to lines and what is written as it comes are in the list of lines, which says so here. */
export function TerminalLog({label, log, fileName, empty}: TerminalLogProps) {
  const {lines, leftOut} = log;
  return (
    <div className="log">
      <div className="toolbar log-tools">
        <span className="muted">The screen, 80 × 25. Search and links are in Lines.</span>
        <span className="muted log-count">{plural(lines.length + leftOut, 'line')}</span>
        <DownloadButton lines={lines} fileName={fileName} />
      </div>
      {lines.length === 0 ? (
        <div className="log-empty">{empty}</div>
      ) : (
        <LazyTerminal label={`${label}, as a screen`} log={log} />
      )}
    </div>
  );
}
