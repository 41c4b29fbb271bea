import {Code, ConnectError} from '@connectrpc/connect';
import test from 'ava';
import {explainError} from './errors.ts';

test('a role that does not suffice is said to be changed by an administrator', t => {
  const error = new ConnectError(
    'Cannot call CreateUser as "ada" with role "viewer": it needs admin',
    Code.PermissionDenied,
  );
  const {title, message, canRetry} = explainError(error, 'make the user');
  t.is(title, 'Cannot make the user');
  t.regex(message, /it needs admin\. Your role does not allow this/);
  t.false(canRetry);
});

test('what is refused for another reason says nothing of roles', t => {
  const error = new ConnectError(
    'Cannot reset the password: the code was used; ask an administrator for a new one',
    Code.PermissionDenied,
  );
  t.is(explainError(error, 'set the password').message, error.rawMessage);
});
