import test from 'ava';
import {type KnownIssue, settleIssues, type Waiting} from './issue-hysteresis.ts';
import {
  always,
  type Condition,
  inService,
  type JudgedRule,
  type MachineFacts,
} from './issue-rule.ts';

const now = new Date('2026-05-01T12:00:00Z');
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);
const facts = {id: 'm1', state: 'active'} as MachineFacts;

const condition = (part: Partial<Condition> = {}): Condition => ({
  component: 'a',
  summary: 'It is hot',
  nextStep: 'Cool it',
  evidence: {},
  ...part,
});

/** Lasts a minute before it is raised, and two before it is cleared. */
function settle(
  found: readonly Condition[] | 'unknown',
  {
    open = [],
    waiting = [],
    ...limits
  }: Partial<JudgedRule> & {
    readonly open?: readonly Partial<KnownIssue>[];
    readonly waiting?: readonly Partial<Waiting>[];
  } = {},
) {
  const rule: JudgedRule = {
    ...always,
    kind: 'heat',
    source: 'rules',
    title: 'Hot',
    severity: 'warning',
    raiseAfterSeconds: 60,
    clearAfterSeconds: 120,
    states: inService,
    over: 'It is cool',
    judge: () => found,
    ...limits,
  };
  const issue = {id: 'i1', kind: 'heat', component: 'a', severity: 'warning', goneTime: undefined};
  const settled = settleIssues(
    [rule],
    {
      facts,
      open: open.map(part => ({...issue, ...part}) as KnownIssue),
      waiting: waiting.map(part => ({kind: 'heat', component: 'a', sinceTime: now, ...part})),
    },
    {now, version: '1.0.0', settings: () => ({...rule})},
  );
  return {
    raise: settled.raise.map(({component, since}) => [component, since]),
    clear: settled.clear.map(({reason}) => reason),
    gone: settled.gone,
    back: settled.back,
    wait: settled.wait.map(({component, sinceTime}) => [component, sinceTime]),
    forget: settled.forget.map(({component}) => component),
  };
}

const nothing = {raise: [], clear: [], gone: [], back: [], wait: [], forget: []};

const settles = test.macro({
  exec(
    t,
    found: Parameters<typeof settle>[0],
    state: Parameters<typeof settle>[1],
    expected: Partial<ReturnType<typeof settle>>,
  ) {
    t.deepEqual(settle(found, state), {...nothing, ...expected});
  },
  title: name => `settles: ${name}`,
});

const hot = [condition()];
test('what is noticed waits', settles, hot, {}, {wait: [['a', now]]});
test('what waits goes on waiting', settles, hot, {waiting: [{sinceTime: ago(59)}]}, {});
test(
  'what has waited is raised, since it was noticed',
  settles,
  hot,
  {waiting: [{sinceTime: ago(60)}]},
  {raise: [['a', ago(60)]], forget: ['a']},
);
test(
  'what need not last is raised at once',
  settles,
  hot,
  {raiseAfterSeconds: 0},
  {
    raise: [['a', now]],
  },
);
test(
  'what facts tell the beginning of is not kept',
  settles,
  [condition({since: ago(59)})],
  {},
  {},
);
test(
  'what facts tell the beginning of is raised when it has lasted',
  settles,
  [condition({since: ago(60)})],
  {},
  {raise: [['a', ago(60)]]},
);
test(
  'what nobody looked at does not count as lasting',
  settles,
  [condition({since: ago(900), countedSince: ago(30)})],
  {},
  {},
);
test('what waited and is over is forgotten', settles, [], {waiting: [{}]}, {forget: ['a']});
test(
  'what waited and is not known is forgotten',
  settles,
  'unknown',
  {waiting: [{}]},
  {
    forget: ['a'],
  },
);

test('what is open and goes on stays', settles, hot, {open: [{}]}, {});
test('what is open and not known stays', settles, 'unknown', {open: [{}]}, {});
test('what is open and over is gone first', settles, [], {open: [{}]}, {gone: ['i1']});
test('what is gone stays for a while', settles, [], {open: [{goneTime: ago(119)}]}, {});
test(
  'what has been gone is cleared',
  settles,
  [],
  {open: [{goneTime: ago(120)}]},
  {
    clear: ['It is cool, for 2 minutes'],
  },
);
test(
  'what was gone may come back',
  settles,
  hot,
  {open: [{goneTime: ago(500)}]},
  {
    back: ['i1'],
  },
);
test(
  'what need not be over for a while is cleared at once',
  settles,
  [],
  {open: [{}], clearAfterSeconds: 0},
  {clear: ['It is cool']},
);
test(
  'what has another severity now is told again',
  settles,
  [condition({severity: 'critical', since: ago(5)})],
  {open: [{}]},
  {raise: [['a', ago(5)]]},
);
test(
  'an operator’s severity counts, whatever the finding says',
  settles,
  [condition({severity: 'critical', since: ago(5)})],
  {open: [{severity: 'info'}], setSeverity: 'info'},
  {},
);
test(
  'components are each their own',
  settles,
  [condition({component: 'b', since: ago(90)})],
  {open: [{}], waiting: [{component: 'c'}]},
  {raise: [['b', ago(90)]], gone: ['i1'], forget: ['c']},
);
test(
  'a rule that is switched off ends what is open and what waits',
  settles,
  hot,
  {enabled: false, open: [{}], waiting: [{component: 'c'}]},
  {clear: ['The rule is switched off'], forget: ['c']},
);
test(
  'so does a state in which nothing is looked for',
  settles,
  hot,
  {states: new Set(['ready'] as const), open: [{}]},
  {clear: ['The machine is ACTIVE now']},
);
