import test from 'ava';
import type {BuiltImage} from '../backends/backend.ts';
import {checkEnrolment} from './boot-test.ts';
import {createConsoleTail, printable} from './console.ts';
import {renderTestScript} from './script.ts';
import {describeStage, isFatalLine, laterStage, stageOfLine} from './stages.ts';

const artifact = (name: string, digit: string) => ({
  name,
  path: `/nowhere/${name}`,
  sha256: digit.repeat(64),
  sizeBytes: 4,
});

const image: BuiltImage = {
  kernel: artifact('vmlinuz', 'a'),
  initrds: [artifact('initrd.zst', 'b')],
  layers: [],
  commandLine: 'console=ttyS0 panic=30',
  memoryRequiredBytes: 0,
  bootTestSha256s: [],
};

test('the script names every initrd and loads boot.json last', t => {
  t.is(
    renderTestScript(image),
    `#!ipxe
kernel /images/sha256/${'a'.repeat(64)}/vmlinuz initrd=initrd.zst initrd=boot.cpio console=ttyS0 panic=30 || goto failed
initrd --name initrd.zst /images/sha256/${'b'.repeat(64)}/initrd.zst || goto failed
initrd --name boot.cpio /boot/token.cpio?mac=\${mac:hexhyp} || goto failed
boot || goto failed
:failed
echo MUSTER error: iPXE \${errno}
exit 1
`,
  );
});

test('only this nonce and this input key pass', t => {
  const expected = {nonce: 'n', inputKey: 'k'};
  t.is(checkEnrolment({bootToken: 'n', imageInputKey: 'k'}, expected), undefined);
  t.regex(checkEnrolment({bootToken: 'm', imageInputKey: 'k'}, expected) ?? '', /another token/);
  t.regex(checkEnrolment({bootToken: 'n', imageInputKey: 'x'}, expected) ?? '', /"x".*"k"/);
});

test('markers are found behind stray bytes, and a command line is no panic', t => {
  t.is(stageOfLine('...ocRESMUSTER init 6.1.0'), 'init running');
  t.is(stageOfLine('[  OK  ] Started muster-agent.service - Muster agent.'), 'agent started');
  t.is(stageOfLine('Command line: panic=30'), undefined);
  t.false(isFatalLine('Command line: console=ttyS0 panic=30'));
  t.true(isFatalLine('[    1.2] Kernel panic - not syncing: VFS'));
  t.true(isFatalLine('MUSTER error: boot.json is missing'));
});

test('a boot never goes back a stage', t => {
  t.is(laterStage('network up', 'iPXE'), 'network up');
  t.is(laterStage('iPXE', 'network up'), 'network up');
  t.regex(describeStage('boot.json fetched'), /"boot.json fetched"; the kernel did not reach/);
});

test('the tail of a console is bounded and printable', t => {
  t.is(printable('\u001b[2J\u001b[01;31mred\u0007 text\u00e9'), 'red text');
  const tail = createConsoleTail(100);
  for (let line = 0; line < 1000; line += 1) tail.add(`line ${line}`);
  tail.add('   ');
  t.true(tail.text().length <= 100);
  t.true(tail.text().endsWith('line 999'));
  tail.add('x'.repeat(5000));
  t.is(tail.text().length, 100);
});
