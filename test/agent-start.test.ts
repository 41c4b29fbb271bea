import {readFile} from 'node:fs/promises';
import test from 'ava';
import {readAgentStart} from './helpers/process-machine.ts';

test('whatever starts the agent keeps its memory small in the same way', async t => {
  const {flags, settings} = await readAgentStart();
  t.true(flags.includes('--lite-mode'), 'without it, a third more');
  const inShell = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  const init = await readFile('builder/backends/debian/files/registration-init.sh', 'utf8');
  const started = init.replaceAll(/\s*\\\n\s*/g, ' ');
  t.true(started.includes(`${inShell.join(' ')} /usr/bin/node ${flags.join(' ')} /usr/lib/`));
  const nix = await readFile('nixos/packages.nix', 'utf8');
  t.true(nix.includes(`smallNodeFlags = "${flags.join(' ')}";`));
  const inNix = Object.entries(settings).map(([name, value]) => `--set-default ${name} ${value}`);
  t.true(nix.includes(`smallSettings = "${inNix.join(' ')}";`));
});
