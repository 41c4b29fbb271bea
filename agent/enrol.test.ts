import test from 'ava';
import {type Reason, reasonOf} from './agent-service.ts';
import {parseBootFile} from './boot-file.ts';
import {reactTo} from './enrol.ts';

const reaction = test.macro(
  (
    t,
    reason: Reason | undefined,
    [attempt, canFetch]: readonly [number, boolean],
    expected: {readonly fetchToken: boolean; readonly delayMs: number},
  ) => {
    t.deepEqual(reactTo(reason, attempt, canFetch, 1), expected);
  },
);

test('an expired token is replaced at once', reaction, 'REASON_TOKEN_EXPIRED', [0, true], {
  fetchToken: true,
  delayMs: 0,
});
test('a second one is not believed so quickly', reaction, 'REASON_TOKEN_EXPIRED', [1, true], {
  fetchToken: true,
  delayMs: 2000,
});
test('without a token URL there is no new token', reaction, 'REASON_TOKEN_EXPIRED', [0, false], {
  fetchToken: false,
  delayMs: 1000,
});
test('a token of another key is replaced', reaction, 'REASON_TOKEN_REUSED', [0, true], {
  fetchToken: true,
  delayMs: 1000,
});
test('a rejected machine asks seldom', reaction, 'REASON_REJECTED', [0, true], {
  fetchToken: false,
  delayMs: 300_000,
});
test('pauses grow while the server is away', reaction, undefined, [3, true], {
  fetchToken: false,
  delayMs: 8000,
});
test('pauses have a limit', reaction, undefined, [1000, true], {
  fetchToken: false,
  delayMs: 30_000,
});

test('the reason is in the bytes of the error detail', t => {
  const detail = (value: string) => ({details: [{type: 'muster.v1.AgentErrorInfo', value}]});
  t.is(reasonOf(detail('CAE')), 'REASON_TOKEN_EXPIRED');
  t.is(reasonOf(detail('CAY=')), 'REASON_REJECTED');
  t.is(reasonOf(detail('CH8')), 'REASON_UNSPECIFIED');
  t.is(reasonOf(detail('')), 'REASON_UNSPECIFIED');
  t.is(
    reasonOf({details: [{type: 'google.rpc.Help', value: 'CAE'}, 7, null]}),
    'REASON_UNSPECIFIED',
  );
  t.is(reasonOf({details: 'none'}), 'REASON_UNSPECIFIED');
  t.is(reasonOf(undefined), 'REASON_UNSPECIFIED');
});

test('a boot.json that lacks something says what', t => {
  t.throws(() => parseBootFile('{"session": "s", "token": ""}'), {
    message: 'Cannot use boot.json: it lacks token, enrollUrl, siteCa',
  });
  t.throws(() => parseBootFile('[]'), {message: 'Cannot read boot.json: it is no JSON object'});
});
