import {readdir, readFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {ConfigurationError} from '../configuration-error.ts';
import {explainBuild} from './build-errors.ts';
import {type NixMessage, parseNixLine} from './internal-json.ts';
import {createNixProgress} from './progress.ts';
import {parseOutlook} from './realise.ts';

const logs = path.join(import.meta.dirname, 'testing/logs');
const limits = {buildSeconds: 7200, silenceSeconds: 900};

async function replay(name: string) {
  const lines: string[] = [];
  const fractions: number[] = [];
  const errors: NixMessage[] = [];
  const progress = createNixProgress({toBuild: 1}, line => lines.push(line));
  for (const line of (await readFile(path.join(logs, name), 'utf8')).split('\n')) {
    if (line === '') continue;
    const event = parseNixLine(line);
    if (event.action === 'message' && event.level === 0) errors.push(event);
    progress.add(event);
    fractions.push(progress.now().fraction);
  }
  return {lines, fractions, errors, progress};
}

for (const version of ['2.8.0', '2.26.3', '2.34.8']) {
  test(`Nix ${version}: a log of a build that succeeds`, async t => {
    const {lines, fractions, errors, progress} = await replay(`log-ok-${version}.txt`);
    t.deepEqual(errors, []);
    t.deepEqual(
      lines.filter(line => line.startsWith('netboot-m1>') || line.startsWith('[')),
      [
        '[1/1] building netboot-m1',
        '[1/1] netboot-m1: unpackPhase',
        'netboot-m1> unpacking for m1',
        'netboot-m1> step 1/3',
        'netboot-m1> step 2/3',
        'netboot-m1> step 3/3',
        '[1/1] netboot-m1: buildPhase',
        'netboot-m1> done',
      ],
    );
    t.deepEqual(
      fractions,
      fractions.toSorted((a, b) => a - b),
    );
    t.like(progress.now(), {fraction: 1, built: 1, toBuild: 1});
    t.deepEqual(progress.current(), []);
  });

  test(`Nix ${version}: a log of a build that fails`, async t => {
    const {errors, progress} = await replay(`log-fail-${version}.txt`);
    const error = explainBuild(
      {status: 1, signalName: undefined, output: '', errors, texts: []},
      {limits, ...progress},
    );
    t.true(error instanceof ConfigurationError);
    t.regex(
      error.message,
      /^"netboot-m2" did not build: exit code 3\. Its last lines: .*something broke$/,
    );
  });
}

test('every recorded log is replayed', async t => {
  t.is((await readdir(logs)).length, 6);
});

test('ids beyond 2^53 stay apart', t => {
  const [first, second] = ['9483167530483720', '9483167530483721'].map(id =>
    parseNixLine(`@nix {"action":"stop","id":${id}}`),
  );
  t.deepEqual(first, {action: 'stop', id: '9483167530483720'});
  t.deepEqual(second, {action: 'stop', id: '9483167530483721'});
});

test('what is no JSON is kept as text, without colours', t => {
  for (const [line, text] of [
    ['GC Warning: Out of Memory!', 'GC Warning: Out of Memory!'],
    ['\u001b[31merror:\u001b[0m no', 'error: no'],
    ['@nix {"action":', '@nix {"action":'],
    ['@nix null', '@nix null'],
    ['@nix {"action":"new"}', '@nix {"action":"new"}'],
  ] as const)
    t.deepEqual(parseNixLine(line), {action: 'text', text});
});

test('a message keeps its place, and its trace may be cut off', t => {
  const line =
    '@nix {"action":"msg","column":3,"file":"/s/x-source/operator.nix:2:3","level":0,"line":2,"msg":"error: \\u001b[1mwrong\\u001b[0m\\n at","raw_msg":"wrong","trace":[{"column":1,"fi';
  t.deepEqual(parseNixLine(line), {
    action: 'message',
    level: 0,
    text: 'wrong',
    full: 'wrong\n at',
    file: '/s/x-source/operator.nix',
    line: 2,
    column: 3,
  });
});

test('bytes of downloads are counted', t => {
  const progress = createNixProgress({toBuild: 0, toFetchBytes: 200}, () => undefined);
  const say = (json: object) => progress.add(parseNixLine(`@nix ${JSON.stringify(json)}`));
  say({action: 'start', id: 1, type: 100, text: '', fields: ['/s/a', 'from', 'to']});
  say({action: 'result', id: 1, type: 105, fields: [50, 100, 0, 0]});
  t.like(progress.now(), {fetchedBytes: 50, fraction: 0.25});
  say({action: 'result', id: 1, type: 105, fields: [100, 100, 0, 0]});
  say({action: 'stop', id: 1});
  say({action: 'start', id: 2, type: 100, text: '', fields: ['/s/b', 'from', 'to']});
  say({action: 'result', id: 2, type: 105, fields: [10, 500, 0, 0]});
  t.like(progress.now(), {fetchedBytes: 110, fraction: 0.55});
});

test('more derivations than were expected do not turn progress back', t => {
  const progress = createNixProgress({toBuild: 1}, () => undefined);
  const say = (json: object) => progress.add(parseNixLine(`@nix ${JSON.stringify(json)}`));
  say({action: 'start', id: 1, type: 105, text: '', fields: ['/s/a.drv', '', 1, 1]});
  say({action: 'stop', id: 1});
  say({action: 'start', id: 2, type: 105, text: '', fields: ['/s/b.drv', '', 1, 1]});
  t.like(progress.now(), {fraction: 1, built: 1, toBuild: 2});
});

test('an outlook names what is built and what is fetched', t => {
  t.deepEqual(
    parseOutlook([
      'these 2 derivations will be built:',
      '  /nix/store/a.drv',
      '  /nix/store/b.drv',
      'this path will be fetched (1.50 MiB download, 3.25 MiB unpacked):',
      '  /nix/store/c',
      "don't know how to build these paths (may be caused by read-only store access):",
      '  /nix/store/d',
    ]),
    {
      toBuild: ['/nix/store/a.drv', '/nix/store/b.drv'],
      toFetch: ['/nix/store/c'],
      toFetchBytes: 3_407_872,
    },
  );
});

const failures: Readonly<Record<string, [message: string, expected: RegExp]>> = {
  'a hash that is another': [
    "hash mismatch in fixed-output derivation '/nix/store/x-src.drv':\n  specified: sha256-A\n  got: sha256-B",
    /has another content than its hash says.*specified: sha256-A got: sha256-B/,
  ],
  'silence, where both limits read the same': [
    "building '/nix/store/00000000000000000000000000000000-x.drv' timed out after 900 seconds",
    /"x" wrote nothing for 900 s/,
  ],
  'too long a log': [
    "'/nix/store/00000000000000000000000000000000-x.drv' killed after writing more than 100 bytes of log output",
    /"x" wrote more to its log/,
  ],
  'a download without a network': [
    "Cannot build '/nix/store/00000000000000000000000000000000-x.drv'.\nReason: builder failed with exit code 1.\nunable to download 'a': Couldn't resolve host name",
    /"x" is in no cache of this builder/,
  ],
};

for (const [name, [text, expected]] of Object.entries(failures))
  test(`explained: ${name}`, t => {
    const message = {action: 'message', level: 0, text, full: text, file: '', line: 0, column: 0};
    const end = {status: 1, signalName: undefined, output: '', texts: []};
    const context = {limits, tailOf: () => [], lastEnded: () => ''};
    t.regex(explainBuild({...end, errors: [message as NixMessage]}, context).message, expected);
  });

test('what Nix cannot even begin is no fault of the configuration', t => {
  const end = {status: 1, signalName: undefined, output: '', errors: [], texts: ['disk full']};
  const error = explainBuild(end, {limits, tailOf: () => [], lastEnded: () => ''});
  t.false(error instanceof ConfigurationError);
  t.is(error.message, 'Cannot build with nix: disk full');
});
