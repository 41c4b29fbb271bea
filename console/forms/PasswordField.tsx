import {TextField} from './fields.tsx';
import {passwordCharactersMin, passwordMistake} from './new-password.ts';

type PasswordFieldProps = {
  readonly label: string;
  readonly value: string;
  readonly onChange: (password: string) => void;
  readonly error?: string | undefined;
};

/** The one that somebody has. */
export const PasswordField = ({label, value, onChange, error}: PasswordFieldProps) => (
  <TextField
    label={label}
    name="password"
    type="password"
    autoComplete="current-password"
    required
    error={error}
    value={value}
    onChange={event => onChange(event.target.value)}
  />
);

type NewPasswordFieldProps = Omit<PasswordFieldProps, 'error'> & {
  /** Follows how long it has to be. */
  readonly hint: string;
  /** Somebody tried to send the form: what is wrong is said from then on. */
  readonly touched: boolean;
};

/** One that is being chosen; the form must not be sent while passwordMistake() says something. */
export const NewPasswordField = ({
  label,
  value,
  onChange,
  hint,
  touched,
}: NewPasswordFieldProps) => (
  <TextField
    label={label}
    name="new-password"
    type="password"
    autoComplete="new-password"
    required
    hint={`At least ${passwordCharactersMin} characters${hint}`}
    error={touched ? passwordMistake(value) : undefined}
    value={value}
    onChange={event => onChange(event.target.value)}
  />
);
