import test from 'ava';
import {keepLines, levels} from '../test/helpers/logged-lines.ts';
import {createOutages} from './log.ts';

function setUp() {
  const {log, lines} = keepLines();
  const clock = {ms: 5000};
  const outages = createOutages(log, () => clock.ms);
  return {
    ...outages,
    pass: (seconds: number) => (clock.ms += seconds * 1000),
    fail: (what: string) => outages.failed({what, message: `${what} away`}),
    /** Without what only a debugger sees. */
    told: () => lines.filter(({level}) => level > levels.debug).map(({msg}) => msg),
    tries: () => lines.filter(({level}) => level === levels.debug).length,
  };
}

test('an outage is one line at once and one a minute, whoever waits, and one at its end', t => {
  const {fail, works, pass, told, tries} = setUp();
  for (let second = 0; second < 150; second += 1) {
    for (const what of ['NATS', 'builds', 'tests']) fail(what);
    pass(1);
  }
  t.deepEqual(told(), ['NATS away', 'NATS away', 'NATS away']);
  t.is(tries(), 150 * 3 - 3);
  works('builds');
  works('NATS');
  t.is(told().length, 3, 'something is away still');
  works('tests');
  works('tests');
  t.deepEqual(told().slice(3), ['there again: NATS, builds, tests']);
});

test('what fails within a minute of the line before is told when it lasts, and else not at all', t => {
  const {fail, works, pass, told} = setUp();
  fail('NATS');
  works('NATS');
  t.deepEqual(told(), ['NATS away', 'there again: NATS']);
  pass(10);
  fail('NATS');
  works('NATS');
  t.is(told().length, 2);
  fail('NATS');
  pass(50);
  fail('NATS');
  works('NATS');
  t.deepEqual(told().slice(2), ['NATS away', 'there again: NATS']);
});

test('what always works says nothing', t => {
  const {works, told} = setUp();
  works('NATS');
  t.deepEqual(told(), []);
});

test('an error is told as one, and how long it was away', t => {
  const {log, lines} = keepLines();
  let ms = 0;
  const {failed, works} = createOutages(log, () => ms);
  failed({what: 'x', message: 'refused', level: 'error', err: new Error('why')});
  ms = 7000;
  works('x');
  t.like(lines[0], {level: 50, msg: 'refused', err: {message: 'why'}});
  t.like(lines[1], {awaySeconds: 7});
});
