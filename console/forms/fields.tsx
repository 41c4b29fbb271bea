import {
  type HTMLAttributes,
  type InputHTMLAttributes,
  type ReactNode,
  type Ref,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
  useId,
} from 'react';
import {Icon} from '../ui/icons.tsx';
import './fields.css';

type FieldProps = {
  readonly label: string;
  readonly hint?: ReactNode;
  /** What is wrong and what to do. */
  readonly error?: string | undefined;
};

type ControlIds = {
  readonly id: string;
  readonly 'aria-describedby': string | undefined;
  readonly 'aria-invalid': true | undefined;
};

/** Label, control, hint and mistake, tied to each other for screen readers. */
export function Field({
  label,
  hint,
  error,
  children,
}: FieldProps & {readonly children: (ids: ControlIds) => ReactNode}) {
  const id = useId();
  const described = [hint ? `${id}-hint` : '', error ? `${id}-error` : ''].filter(Boolean);
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        'aria-describedby': described.length > 0 ? described.join(' ') : undefined,
        'aria-invalid': error ? true : undefined,
      })}
      {hint && (
        <div className="hint" id={`${id}-hint`}>
          {hint}
        </div>
      )}
      <Mistake text={error} id={`${id}-error`} />
    </div>
  );
}

type MistakeProps = Pick<HTMLAttributes<HTMLDivElement>, 'id' | 'role'> & {
  readonly text: string | undefined;
};

/** What is wrong with what was typed; nothing while nothing is. */
export const Mistake = ({text, ...rest}: MistakeProps) =>
  text && (
    <div className="mistake" {...rest}>
      <Icon name="warning" size={12} /> {text}
    </div>
  );

export function TextField({
  label,
  hint,
  error,
  ...rest
}: FieldProps & InputHTMLAttributes<HTMLInputElement> & {readonly ref?: Ref<HTMLInputElement>}) {
  return (
    <Field label={label} hint={hint} error={error}>
      {ids => <input className="input" {...rest} {...ids} />}
    </Field>
  );
}

export function TextAreaField({
  label,
  hint,
  error,
  ...rest
}: FieldProps & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  return (
    <Field label={label} hint={hint} error={error}>
      {ids => <textarea className="input" rows={4} {...rest} {...ids} />}
    </Field>
  );
}

export type Choice = {readonly value: string; readonly label: string};

export function SelectField({
  label,
  hint,
  error,
  choices,
  ...rest
}: FieldProps & SelectHTMLAttributes<HTMLSelectElement> & {readonly choices: readonly Choice[]}) {
  return (
    <Field label={label} hint={hint} error={error}>
      {ids => (
        <select className="input" {...rest} {...ids}>
          {choices.map(({value, label}) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

export function Checkbox({
  label,
  hint,
  ...rest
}: {readonly label: ReactNode; readonly hint?: string} & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <label className="checkbox" title={hint}>
      <input type="checkbox" {...rest} />
      <span>{label}</span>
    </label>
  );
}
