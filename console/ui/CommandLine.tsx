import {CopyButton} from './CopyButton.tsx';
import './command-line.css';

/** What does the same on the command line. */
export function CommandLine({command}: {readonly command: string}) {
  return (
    <span className="command-line">
      <code>{command}</code>
      <CopyButton text={command} what="the command" />
    </span>
  );
}
