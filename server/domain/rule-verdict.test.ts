import test from 'ava';
import type {NamedRule} from '../store/rules.ts';
import {labelsToSet, mergeRules} from './rule-verdict.ts';

const rule = (name: string, part: Partial<NamedRule> = {}): NamedRule => ({
  id: name,
  name,
  description: '',
  priority: 0,
  disabled: false,
  condition: '',
  decision: 'none',
  groupId: undefined,
  groupName: '',
  labels: {},
  templates: [],
  bootProfile: undefined,
  createTime: new Date(0),
  updateTime: new Date(0),
  ...part,
});
const profile = (serialConsole: string, packages: readonly string[] = []) => ({
  kernelArguments: [],
  serialConsole,
  packages,
  sshAuthorizedKeys: [],
});

test('the first rule by priority and then by name decides', t => {
  const rules = [
    rule('c', {decision: 'reject'}),
    rule('B', {decision: 'hold'}),
    rule('z', {priority: 1, decision: 'none', labels: {a: '1'}}),
  ];
  t.like(mergeRules(rules), {decision: 'hold', decisionRule: 'B'});
  t.like(mergeRules(rules.toReversed()), {decision: 'hold', decisionRule: 'B'});
  t.deepEqual(mergeRules(rules).conflicts, ['Rule "c" says reject, but rule "B" comes before it']);
  t.like(mergeRules([]), {decision: 'none', decisionRule: '', conflicts: []});
});

test('groups are added up; labels, templates and boot values are of the first rule, and others are conflicts', t => {
  const template = (name: string) => [{name, version: 0, parameters: {}}];
  const verdict = mergeRules([
    rule('a', {
      groupId: 'g1',
      groupName: 'one',
      labels: {x: '1', y: '1'},
      templates: template('web'),
      bootProfile: profile('ttyS0'),
    }),
    rule('b', {
      groupId: 'g2',
      groupName: 'two',
      labels: {x: '2', y: '1', z: '1'},
      templates: template('db'),
      bootProfile: profile('ttyS1', ['htop']),
    }),
    rule('c', {groupId: 'g1', groupName: 'one'}),
  ]);
  t.deepEqual(
    verdict.groups.map(({rule: name, name: group}) => `${name} ${group}`),
    ['a one', 'b two'],
  );
  t.deepEqual(
    [...verdict.labels].map(([key, {rule: name, value}]) => `${key}=${value} ${name}`),
    ['x=1 a', 'y=1 a', 'z=1 b'],
  );
  t.like(verdict.templates, {rule: 'a', templates: {0: {name: 'web'}}});
  t.deepEqual(verdict.bootProfile, [
    {rule: 'a', field: 'serialConsole', value: 'ttyS0'},
    {rule: 'b', field: 'packages', value: ['htop']},
  ]);
  t.deepEqual(verdict.conflicts, [
    'Rule "b" sets label x to "2", but rule "a" comes before it',
    'Rule "b" names other templates, but rule "a" comes before it',
    'Rule "b" has another serial_console, but rule "a" comes before it',
  ]);
});

test('a label is set once, and changed only while it is as the rule left it', t => {
  const wanted = new Map([['k', {rule: 'a', value: 'new'}]]);
  const set = (has: Record<string, string>, given: Record<string, string>) =>
    labelsToSet(wanted, {has, given});
  t.deepEqual(set({}, {}), {k: 'new'});
  t.deepEqual(set({k: 'own'}, {}), {}, 'it had one before');
  t.deepEqual(set({}, {k: 'old'}), {}, 'an operator took it away');
  t.deepEqual(set({k: 'old'}, {k: 'old'}), {k: 'new'});
  t.deepEqual(set({k: 'changed'}, {k: 'old'}), {}, 'an operator changed it');
  t.deepEqual(set({k: 'new'}, {k: 'new'}), {});
});
