import test from 'ava';
import fc from 'fast-check';
import type {ImageConfig} from '../store/machines.ts';
import {bootProfileModule, effectiveConfiguration, type Inherited} from './inheritance.ts';

const image = (part: Partial<ImageConfig> = {}): ImageConfig => ({
  hostName: '',
  packages: [],
  sshAuthorizedKeys: [],
  files: [],
  kernelArguments: [],
  ...part,
});
const machine = (imageConfig?: ImageConfig) => ({templates: [], nixosConfig: '', imageConfig});
const use = (name: string) => ({name, version: 0, parameters: {}});
const group = (name: string, part: Partial<Inherited['groups'][number]> = {}) => ({
  name,
  priority: 0,
  templates: [],
  bootProfile: undefined,
  ...part,
});
const profile = (part: object) => ({
  kernelArguments: [],
  serialConsole: '',
  packages: [],
  sshAuthorizedKeys: [],
  ...part,
});
const originOf = (field: string, {values}: ReturnType<typeof effectiveConfiguration>) =>
  values.find(value => value.field === field)?.origin;

test('what the machine says comes first, then its groups, then rules, value by value', t => {
  const rules = {
    templates: [{rule: 'nvme', templates: [use('storage')]}],
    bootProfile: [
      {rule: 'nvme', field: 'packages', value: ['mdadm']},
      {rule: 'nvme', field: 'serialConsole', value: 'ttyS1'},
    ],
  };
  const groups = [
    group('web', {bootProfile: profile({packages: ['nginx'], kernelArguments: ['quiet']})}),
  ];
  const effective = effectiveConfiguration(machine(image({sshAuthorizedKeys: ['ssh-x a']})), {
    groups,
    rules,
  });
  t.deepEqual(effective.imageConfig, {
    ...image(),
    packages: ['nginx'],
    sshAuthorizedKeys: ['ssh-x a'],
    kernelArguments: ['quiet', 'console=tty0', 'console=ttyS1'],
  });
  t.deepEqual(effective.templates, [use('storage')]);
  t.deepEqual(
    effective.values.map(({field, origin}) => `${field}: ${origin}`),
    [
      'templates: rule nvme',
      'kernel_arguments: group web',
      'serial_console: rule nvme',
      'packages: group web',
      'ssh_authorized_keys: machine',
    ],
  );
  t.deepEqual(effective.bootArguments, ['quiet', 'console=tty0', 'console=ttyS1']);
  t.like(bootProfileModule(effective.bootArguments), {
    0: {parameters: {kernelArguments: {length: 3}}},
  });
});

test('a machine that nobody says anything about has nothing', t => {
  const none = effectiveConfiguration(machine(), {groups: [group('web')], rules: undefined});
  t.deepEqual(none, {templates: [], imageConfig: undefined, bootArguments: [], values: []});
  t.deepEqual(bootProfileModule([]), []);
});

test('of several groups the highest priority counts, then the name, whatever order they come in', t => {
  const one = fc.record({
    name: fc.stringMatching(/^[a-z]{1,3}$/),
    priority: fc.integer({min: -2, max: 2}),
    packages: fc.uniqueArray(fc.constantFrom('htop', 'nginx'), {maxLength: 2}),
    templates: fc.uniqueArray(fc.constantFrom('web', 'db'), {maxLength: 1}),
  });
  const several = fc.uniqueArray(one, {selector: ({name}) => name, maxLength: 6});
  fc.assert(
    fc.property(several, fc.func(fc.integer()), (parts, mix) => {
      const groups = parts.map(({name, priority, packages, templates}) =>
        group(name, {priority, templates: templates.map(use), bootProfile: profile({packages})}),
      );
      const shuffled = groups.toSorted((a, b) => mix(a.name) - mix(b.name));
      const effective = effectiveConfiguration(machine(), {groups, rules: undefined});
      t.deepEqual(
        effectiveConfiguration(machine(), {groups: shuffled, rules: undefined}),
        effective,
      );
      const best = (says: (part: (typeof parts)[number]) => boolean) =>
        parts
          .filter(says)
          .sort((a, b) => b.priority - a.priority || (a.name < b.name ? -1 : 1))
          .map(({name}) => `group ${name}`)[0];
      t.is(
        originOf('packages', effective),
        best(({packages}) => packages.length > 0),
      );
      t.is(
        originOf('templates', effective),
        best(({templates}) => templates.length > 0),
      );
    }),
  );
});

test('a system that the machine describes itself stays what it is, and arguments alone are none', t => {
  const groups = [
    group('web', {templates: [use('web')], bootProfile: profile({serialConsole: 'ttyS0'})}),
  ];
  const own = effectiveConfiguration(machine(image({packages: ['nginx']})), {
    groups,
    rules: undefined,
  });
  t.deepEqual(own.templates, []);
  t.deepEqual(own.imageConfig?.kernelArguments, ['console=tty0', 'console=ttyS0']);
  const named = effectiveConfiguration(machine(image({hostName: 'a'})), {groups, rules: undefined});
  t.deepEqual(named.templates, [use('web')]);
  const bare = effectiveConfiguration(machine(), {groups, rules: undefined});
  t.is(bare.imageConfig, undefined);
});
