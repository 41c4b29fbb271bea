import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {writeTree} from '@muster/test/helpers/tree.ts';
import test from 'ava';
import {createHost, waysTo} from './host.ts';
import {createLocator} from './locate.ts';
import {createConsoleLog} from './log.ts';
import {createTools} from './run-command.ts';

const forever = new AbortController().signal;

test('systemd is asked first, SysRq last', t => {
  t.deepEqual(waysTo('reboot', true), [
    {kind: 'command', tool: 'systemctl', args: ['reboot']},
    {kind: 'command', tool: 'reboot', args: ['-f']},
    {kind: 'sysrq', keys: ['s', 'u', 'b']},
  ]);
  t.deepEqual(waysTo('power_off', false), [
    {kind: 'command', tool: 'poweroff', args: ['-f']},
    {kind: 'sysrq', keys: ['s', 'u', 'o']},
  ]);
});

test('where no program works, SysRq takes the machine down', async t => {
  await using tree = await writeTree({
    '/proc/sysrq-trigger': '',
    '/sbin/reboot': {program: '#!/bin/sh\nexit 1\n'},
  });
  const lines: string[] = [];
  const stop = new AbortController();
  const host = createHost({
    root: tree.root,
    tools: createTools(tree.root),
    mode: 'real',
    log: createConsoleLog(line => {
      lines.push(line);
    }),
  });
  const acted = host.act('reboot', stop.signal);
  const trigger = join(tree.root, 'proc/sysrq-trigger');
  while ((await readFile(trigger, 'utf8')) !== 'b') continue;
  stop.abort();
  await acted;
  t.regex(lines[0] ?? '', /cannot reboot this way/);
});

test('the chassis light is taken before LEDs and the bell', async t => {
  await using tree = await writeTree({
    '/dev/ipmi0': '',
    '/dev/console': '',
    '/usr/bin/ipmitool': {program: '#!/bin/sh\necho "Chassis identify interval: $3 seconds"\n'},
  });
  const locator = createLocator({root: tree.root, tools: createTools(tree.root)});
  t.is(await locator.start(999, forever), 'The chassis light blinks for 255 s');
});

test('an LED that is made for it blinks', async t => {
  await using tree = await writeTree({'/sys/class/leds/enclosure:blue:locate/brightness': '0'});
  const stop = new AbortController();
  const locator = createLocator({root: tree.root, tools: createTools(tree.root)});
  const how = await locator.start(1, stop.signal);
  stop.abort();
  t.is(how, 'The LED "enclosure:blue:locate" blinks for 1 s');
});

test('the console’s bell is better than nothing, and nothing is said to be nothing', async t => {
  await using tree = await writeTree({'/dev/console': ''});
  const locator = createLocator({root: tree.root, tools: createTools(tree.root)});
  t.is(await locator.start(0, AbortSignal.abort()), "The console's bell rings for 15 s");
  await using bare = await writeTree({'/etc/none': ''});
  const other = createLocator({root: bare.root, tools: createTools(bare.root)});
  t.is(await other.start(1, forever), undefined);
});
