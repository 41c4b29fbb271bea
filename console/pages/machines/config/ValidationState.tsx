import {ErrorState, Notice} from '../../../ui/states.tsx';
import {plural} from '../../../ui/format.ts';
import type {Validation} from './use-validation.ts';

/** In words, for those who do not see the marks beside the lines. */
export function ValidationState({validation}: {readonly validation: Validation}) {
  const {state, findings, error} = validation;
  if (state === 'none') return null;
  if (state === 'failed') return <ErrorState error={error} attempt="check the module" />;
  if (findings.length > 0)
    return (
      <Notice tone="bad" icon="warning">
        <strong>{plural(findings.length, 'mistake')}</strong>
        <ul>
          {findings.map((finding, index) => (
            <li key={index}>
              {finding.source && `${finding.source}, `}
              {finding.line > 0 && `line ${finding.line}: `}
              {finding.message}
            </li>
          ))}
        </ul>
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
