import {ConnectError} from '@connectrpc/connect';
import {ErrorState, Notice} from '../../../ui/states.tsx';
import type {Validation} from './use-validation.ts';

/** How far the check is; what is wrong is said by the editor. */
export function ValidationState({validation}: {readonly validation: Validation}) {
  const {state, findings, error} = validation;
  if (state === 'none') return null;
  if (state === 'failed') return <ErrorState error={error} attempt="check the module" />;
  if (findings.length > 0) return null;
  if (state === 'unevaluated')
    return (
      <Notice tone="warn" icon="warning">
        <span role="status">
          The syntax is right, and nothing more is known: {ConnectError.from(error).rawMessage}
        </span>
      </Notice>
    );
  return (
    <Notice
      tone={state === 'evaluated' ? 'ok' : 'info'}
      icon={state === 'evaluated' ? 'check' : 'info'}
    >
      <span role="status">
        {state === 'checking'
          ? 'Checking …'
          : state === 'syntax'
            ? 'The syntax is right. A builder evaluates the whole system now …'
            : 'A builder has evaluated the whole system: nothing is wrong with it.'}
      </span>
    </Notice>
  );
}
