import {TextField} from './fields.tsx';

type NewUsernameFieldProps = {
  readonly value: string;
  readonly onChange: (username: string) => void;
  /** Follows what it is made of. */
  readonly hint?: string;
  /** "username" for one's own. */
  readonly autoComplete: 'username' | 'off';
};

/** A name that is being chosen, as users.proto declares it. */
export const NewUsernameField = ({
  value,
  onChange,
  hint = '',
  autoComplete,
}: NewUsernameFieldProps) => (
  <TextField
    label="User name"
    hint={`Lower case letters, digits, dots and dashes${hint}`}
    autoComplete={autoComplete}
    autoCapitalize="off"
    pattern="[a-z0-9][a-z0-9._\-]{0,62}"
    required
    autoFocus
    value={value}
    onChange={event => onChange(event.target.value)}
  />
);

/** In forms that ask for a password only: tells those who keep passwords whose it is. */
export const HiddenUsername = ({username}: {readonly username: string}) => (
  <input
    type="text"
    hidden
    readOnly
    autoComplete="username"
    aria-label="User name"
    value={username}
  />
);
