import {
  type Issue,
  IssueMute_Scope as MuteScope,
  IssueService,
} from '@muster/proto/gen/muster/v1/issues_pb.ts';
import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {type ReactNode, useState} from 'react';
import {useAction} from '../../api/use-action.ts';
import {useReason} from '../../api/use-reason.ts';
import {TextField} from '../../forms/fields.tsx';
import {Form} from '../../forms/Form.tsx';
import {Button} from '../../ui/Button.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {MuteForm} from './MuteForm.tsx';

type Doing = 'acknowledge' | 'mute' | 'clear' | undefined;

/** What can be done about it; the form opens in its place, so that the evidence stays in sight. */
export function IssueActions({issue}: {readonly issue: Issue}) {
  const [doing, setDoing] = useState<Doing>();
  const reason = useReason(Permission.OPERATE, 'any');
  const close = () => setDoing(undefined);
  const unmute = useAction(IssueService.method.unmuteIssue, {
    attempt: 'unmute it',
    done: () => 'It is counted again',
  });
  if (issue.clearTime) return null;
  if (doing === 'acknowledge') return <AcknowledgeForm issue={issue} onClose={close} />;
  if (doing === 'clear') return <ClearForm issue={issue} onClose={close} />;
  if (doing === 'mute') return <MuteIssueForm issue={issue} onClose={close} />;
  const isRuleMuted = issue.mute?.scope === MuteScope.RULE;
  return (
    <div className="pane-actions">
      <Button
        kind={issue.acknowledgeTime ? 'plain' : 'primary'}
        icon="user"
        disabledReason={reason}
        onClick={() => setDoing('acknowledge')}
      >
        {issue.acknowledgeTime ? 'Change the note' : 'I take care'}
      </Button>
      {issue.mute ? (
        <Button
          icon="play"
          busy={unmute.isPending}
          disabledReason={
            reason ?? (isRuleMuted ? 'The whole rule is muted: unmute it there' : undefined)
          }
          onClick={() => unmute.mutate({id: issue.id})}
        >
          Unmute
        </Button>
      ) : (
        <Button icon="pause" disabledReason={reason} onClick={() => setDoing('mute')}>
          Mute
        </Button>
      )}
      <Button icon="check" disabledReason={reason} onClick={() => setDoing('clear')}>
        End it
      </Button>
    </div>
  );
}

type FormProps = {readonly issue: Issue; readonly onClose: () => void};

function AcknowledgeForm({issue, onClose}: FormProps) {
  const [note, setNote] = useState(issue.note);
  const acknowledge = useAction(IssueService.method.acknowledgeIssue, {
    done: () => 'The others see that you take care',
    onDone: onClose,
  });
  return (
    <WordsForm
      label="Note for the others (may stay empty)"
      hint="It stays open until what it tells of is over"
      words={note}
      onWords={setNote}
      action="I take care"
      isBusy={acknowledge.isPending}
      error={<ErrorState error={acknowledge.error} attempt="acknowledge it" />}
      onSubmit={() => acknowledge.mutate({id: issue.id, note: note.trim()})}
      onClose={onClose}
    />
  );
}

function ClearForm({issue, onClose}: FormProps) {
  const [words, setWords] = useState('');
  const clear = useAction(IssueService.method.clearIssue, {
    done: () => 'The issue is over',
    onDone: onClose,
    also: [MachineService],
  });
  return (
    <WordsForm
      label="Why it is over (may stay empty)"
      hint="One that the server finds anew at each look cannot be ended so: mute it"
      words={words}
      onWords={setWords}
      action="End the issue"
      isBusy={clear.isPending}
      error={<ErrorState error={clear.error} attempt="end the issue" />}
      onSubmit={() => clear.mutate({id: issue.id, reason: words.trim()})}
      onClose={onClose}
    />
  );
}

function MuteIssueForm({issue, onClose}: FormProps) {
  const mute = useAction(IssueService.method.muteIssue, {
    done: () => 'Muted: it is shown, and counted nowhere',
    onDone: onClose,
  });
  return (
    <MuteForm
      hasScope
      isBusy={mute.isPending}
      error={<ErrorState error={mute.error} attempt="mute it" />}
      onClose={onClose}
      onSubmit={({duration, reason, onMachine}) =>
        mute.mutate({
          id: issue.id,
          duration,
          reason,
          scope: onMachine ? MuteScope.MACHINE : MuteScope.ISSUE,
        })
      }
    />
  );
}

type WordsFormProps = {
  readonly label: string;
  readonly hint: string;
  readonly words: string;
  readonly onWords: (words: string) => void;
  readonly action: string;
  readonly isBusy: boolean;
  readonly error: ReactNode;
  readonly onSubmit: () => void;
  readonly onClose: () => void;
};

function WordsForm(props: WordsFormProps) {
  const submit = () => props.onSubmit();
  return (
    <Form className="issue-form" onSubmit={submit}>
      <TextField
        label={props.label}
        hint={props.hint}
        maxLength={1024}
        autoFocus
        value={props.words}
        onChange={event => props.onWords(event.target.value)}
      />
      {props.error}
      <div className="pane-actions">
        <Button type="submit" kind="primary" busy={props.isBusy}>
          {props.action}
        </Button>
        <Button onClick={props.onClose}>Cancel</Button>
      </div>
    </Form>
  );
}
