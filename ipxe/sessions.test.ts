import test from 'ava';
import {createSessions, sessionIdleMs} from './sessions.ts';

function setUp() {
  const clock = {nowMs: 0};
  let count = 0;
  const sessions = createSessions({nowMs: () => clock.nowMs, newId: () => `session ${++count}`});
  return {clock, sessions};
}
const [macA, macB] = ['52:54:00:00:00:0a', '52:54:00:00:00:0b'];
const ip = '10.0.0.1';

test('loader, script and files of one boot are one session', t => {
  const {sessions} = setUp();
  t.is(sessions.begin({ipAddress: ip}).id, 'session 1');
  t.is(sessions.begin({ipAddress: ip, macAddress: macA}).id, 'session 1');
  t.is(sessions.begin({ipAddress: ip, macAddress: macA, machineId: 'a'}).id, 'session 1');
  t.is(sessions.join({ipAddress: '10.0.0.2', macAddress: macA}).id, 'session 1');
  t.is(sessions.join({ipAddress: '10.0.0.3', machineId: 'a'}).id, 'session 1');
});

test('120 s of silence end it', t => {
  const {sessions, clock} = setUp();
  sessions.begin({ipAddress: ip, macAddress: macA});
  clock.nowMs = sessionIdleMs;
  t.is(sessions.join({ipAddress: ip, macAddress: macA}).id, 'session 1');
  clock.nowMs = 2 * sessionIdleMs + 1;
  t.is(sessions.join({ipAddress: ip, macAddress: macA}).id, 'session 2');
});

test('two machines behind one address are two sessions', t => {
  const {sessions} = setUp();
  t.is(sessions.begin({ipAddress: ip, macAddress: macA}).id, 'session 1');
  t.is(sessions.begin({ipAddress: ip, macAddress: macB}).id, 'session 2');
  t.is(sessions.join({ipAddress: ip, macAddress: macA}).id, 'session 1');
});

test('the request after the hand-over begins the next boot; files of the old one do not', t => {
  const {sessions} = setUp();
  sessions.begin({ipAddress: ip, macAddress: macA}).handedOver = true;
  t.is(sessions.join({ipAddress: ip, macAddress: macA}).id, 'session 1');
  t.is(sessions.begin({ipAddress: ip, macAddress: macA}).id, 'session 2');
});

test('a session that the machine names is believed only when nothing better is known', t => {
  const {sessions} = setUp();
  t.is(sessions.join({ipAddress: ip, macAddress: macA}, 'its own').id, 'its own');
  t.is(sessions.join({ipAddress: ip, macAddress: macA}, 'another').id, 'its own');
});

test('a flood of made-up addresses is bounded', t => {
  const {sessions} = setUp();
  for (let index = 0; index < 400_000; index++)
    sessions.begin({ipAddress: ip, macAddress: `52:54:00:${index}`});
  t.is(sessions.find({ipAddress: '10.0.0.9', macAddress: '52:54:00:1'}), undefined);
  t.truthy(sessions.find({ipAddress: ip, macAddress: '52:54:00:399999'}));
});
