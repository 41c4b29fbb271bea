import type {ComponentProps} from 'react';
import {Card} from '../ui/blocks.tsx';
import {type ChoiceItem, Choices} from '../ui/Choices.tsx';
import {LogView} from './LogView.tsx';
import {TerminalLog} from './TerminalLog.tsx';
import type {WatchedLog} from './use-watched-log.ts';

type LogCardProps = Omit<ComponentProps<typeof LogView>, 'lines' | 'leftOut'> & {
  readonly title: string;
  readonly log: WatchedLog;
  /** "The build is over" */
  readonly over: string;
  /** Of a serial console, which moves the cursor: the address says which form is shown. */
  readonly form?: {
    readonly value: LogForm;
    readonly onChange: (form: LogForm) => void;
  };
};

export type LogForm = 'lines' | 'terminal';
const forms: readonly ChoiceItem<LogForm>[] = [
  {value: 'lines', label: 'Lines'},
  {value: 'terminal', label: 'Terminal'},
];

/** Of the address; lines unless it says otherwise. */
export const logFormOf = (text: string | undefined): LogForm =>
  text === 'terminal' ? 'terminal' : 'lines';

/** A log that is followed while it is written, and whether it is. */
export function LogCard({title, log, over, form, ...view}: LogCardProps) {
  const state = view.isLive ? 'Live' : over;
  const {label, fileName, empty} = view;
  return (
    <Card
      flush
      title={title}
      actions={
        <div className="log-form">
          <span className="muted">
            {log.state === 'waiting' ? 'No connection: trying again' : state}
          </span>
          {form && <Choices label="Form of the log" items={forms} {...form} />}
        </div>
      }
    >
      {form?.value === 'terminal' ? (
        <TerminalLog {...{label, log, fileName, empty}} />
      ) : (
        <LogView {...view} lines={log.lines} leftOut={log.leftOut} />
      )}
    </Card>
  );
}
