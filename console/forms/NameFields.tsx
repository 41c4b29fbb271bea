import type {ReactNode} from 'react';
import {TextField} from './fields.tsx';
import './form-parts.css';

type Named = {readonly name: string; readonly priority: string; readonly description: string};

/** What a group and a rule are called, which of several counts, and what else there is to say. */
export function NameFields({
  draft,
  change,
  mistakes,
  isTried,
  priorityHint,
  children,
}: {
  readonly draft: Named;
  readonly change: (part: Partial<Named>) => void;
  readonly mistakes: {readonly name: string | undefined; readonly priority: string | undefined};
  /** A name that is missing is said once somebody tried to save. */
  readonly isTried: boolean;
  readonly priorityHint: string;
  readonly children: ReactNode;
}) {
  return (
    <fieldset className="form-part">
      <legend className="visually-hidden">Name and order</legend>
      <div className="field-columns">
        <TextField
          label="Name"
          required
          autoFocus={draft.name === ''}
          value={draft.name}
          error={isTried ? mistakes.name : undefined}
          onChange={({target}) => change({name: target.value})}
        />
        <TextField
          label="Priority"
          hint={priorityHint}
          inputMode="numeric"
          value={draft.priority}
          error={mistakes.priority}
          onChange={({target}) => change({priority: target.value})}
        />
      </div>
      <TextField
        label="Description"
        value={draft.description}
        onChange={({target}) => change({description: target.value})}
      />
      {children}
    </fieldset>
  );
}
