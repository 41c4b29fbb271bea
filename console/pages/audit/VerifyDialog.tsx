import {AuditService, type VerifyAuditResponse} from '@muster/proto/gen/muster/v1/audit_pb.ts';
import {createClient} from '@connectrpc/connect';
import {useTransport} from '@connectrpc/connect-query';
import {useEffect, useRef, useState} from 'react';
import {TextField} from '../../forms/fields.tsx';
import {Form} from '../../forms/Form.tsx';
import {ProgressBar} from '../../ui/blocks.tsx';
import {Button} from '../../ui/Button.tsx';
import {Dialog} from '../../ui/Dialog.tsx';
import {formatCount} from '../../ui/format.ts';
import {announce} from '../../ui/LiveRegion.tsx';
import {SecretText} from '../../ui/SecretOnce.tsx';
import {ErrorState, Notice} from '../../ui/states.tsx';

const headPattern = /^(\d{1,15}):([0-9a-f]{64})$/;

export function VerifyDialog({onClose}: {readonly onClose: () => void}) {
  const {run, step, error, isRunning} = useVerification();
  const [known, setKnown] = useState('');
  const [touched, setTouched] = useState(false);
  const head = headPattern.exec(known.trim());
  const mistake =
    touched && known.trim() !== '' && !head
      ? 'Write it as it was noted: 1204:2f7d… (the position, a colon, 64 digits)'
      : undefined;
  const submit = () => {
    setTouched(true);
    if (known.trim() === '' || head)
      void run({knownPosition: BigInt(head?.[1] ?? 0), knownHash: head?.[2] ?? ''});
  };
  return (
    <Dialog title="Verify the chain" onClose={onClose} wide>
      <p>
        Each entry holds a hash over the one before, and the server signs the end of the chain. This
        walks all of it and names the first entry that was changed, removed, put in or moved.
      </p>
      <Form className="verify-form" onSubmit={submit}>
        <TextField
          label="An end that you noted before (may stay empty)"
          placeholder="1204:2f7d…"
          hint="Holds the chain against it: shows whether its end was cut off since"
          autoComplete="off"
          spellCheck={false}
          error={mistake}
          value={known}
          onChange={event => setKnown(event.target.value)}
        />
        <Button type="submit" kind="primary" icon="audit" busy={isRunning}>
          Walk the chain
        </Button>
      </Form>
      <ErrorState error={error} attempt="verify the audit" />
      {step && !step.done && <Progress step={step} />}
      {step?.done && <Verdict step={step} />}
    </Dialog>
  );
}

function Progress({step}: {readonly step: VerifyAuditResponse}) {
  const all = Number(step.headPosition - step.truncatedPosition);
  return (
    <div role="status">
      <ProgressBar
        percent={all === 0 ? 0 : (Number(step.checked) / all) * 100}
        label="Entries checked"
      />
      <p>
        {formatCount(step.checked)} of {formatCount(all)} entries
      </p>
    </div>
  );
}

function Verdict({step}: {readonly step: VerifyAuditResponse}) {
  const {firstBreak, headPosition, headHash, truncatedPosition, checked} = step;
  if (firstBreak)
    return (
      <Notice tone="bad" icon="warning">
        <strong>The chain is broken at position {String(firstBreak.position)}.</strong>
        <p>{firstBreak.reason}</p>
        <p>
          Somebody wrote to the database. Keep a copy of it as it is, and compare with an export or
          a backup from before.
        </p>
      </Notice>
    );
  return (
    <>
      <Notice tone="ok" icon="check">
        <strong>The chain is whole: {formatCount(checked)} entries.</strong>
        {truncatedPosition > 0n && (
          <p>
            Those up to position {String(truncatedPosition)} went by retention; a signed checkpoint
            stands for them.
          </p>
        )}
      </Notice>
      <p>Note its end on another system, to hold the chain against it later:</p>
      <SecretText text={`${headPosition}:${headHash}`} what="the end of the chain" />
    </>
  );
}

/** A stream: how far it is, then the verdict. Ends with the dialog. */
function useVerification() {
  const transport = useTransport();
  const stopping = useRef<AbortController>(undefined);
  const [step, setStep] = useState<VerifyAuditResponse>();
  const [error, setError] = useState<unknown>();
  const [isRunning, setRunning] = useState(false);
  useEffect(() => () => stopping.current?.abort(), []);

  const run = async (known: {readonly knownPosition: bigint; readonly knownHash: string}) => {
    const abort = new AbortController();
    stopping.current = abort;
    setStep(undefined);
    setError(undefined);
    setRunning(true);
    try {
      const client = createClient(AuditService, transport);
      for await (const next of client.verifyAudit(known, {signal: abort.signal})) {
        setStep(next);
        if (next.done) announce(next.firstBreak ? 'The chain is broken' : 'The chain is whole');
      }
    } catch (failure) {
      if (!abort.signal.aborted) setError(failure);
    }
    if (!abort.signal.aborted) setRunning(false);
  };
  return {run, step, error, isRunning};
}
