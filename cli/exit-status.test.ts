import {Code, ConnectError} from '@connectrpc/connect';
import test from 'ava';
import {CommandError, type ExitStatus, exitStatus, explainFailure} from './exit-status.ts';

const url = 'http://127.0.0.1:8080';

const failure = test.macro<[unknown, ExitStatus, RegExp]>((t, error, status, words) => {
  const explained = explainFailure(error, url);
  t.is(explained.status, status);
  t.regex(explained.sentence ?? '', words);
});

const refused = Object.assign(new Error('connect ECONNREFUSED'), {code: 'ECONNREFUSED'});

test(
  'nobody listens',
  failure,
  new ConnectError('connect ECONNREFUSED', Code.Unavailable, undefined, undefined, refused),
  exitStatus.unreachable,
  /Cannot reach the server at http:\/\/127\.0\.0\.1:8080 .*npm run up/,
);
test(
  'the server says that something behind it is away',
  failure,
  new ConnectError('The database is away', Code.Unavailable),
  exitStatus.unreachable,
  /^The database is away$/,
);
test(
  'nobody is logged in',
  failure,
  new ConnectError('No credential', Code.Unauthenticated),
  exitStatus.notAllowed,
  /muster login/,
);
test(
  'the role does not reach',
  failure,
  new ConnectError('Needs operator', Code.PermissionDenied),
  exitStatus.notAllowed,
  /^Needs operator$/,
);
test(
  'there is no such thing',
  failure,
  new ConnectError('No machine "x"', Code.NotFound),
  5,
  /"x"/,
);
test(
  'an unusable value',
  failure,
  new ConnectError('Bad page', Code.InvalidArgument),
  2,
  /Bad page/,
);
test('a failed command', failure, new CommandError('Build failed'), 1, /^Build failed$/);
test('anything else', failure, new Error('disk full'), 1, /^disk full$/);
