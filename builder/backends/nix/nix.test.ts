import {readFile} from 'node:fs/promises';
import test from 'ava';
import {recordContext, specOf, startNixLab} from './testing/nix-lab.ts';

test('a module becomes an image: kernel, ramdisk, its name, a command line', async t => {
  await using lab = await startNixLab();
  t.is(await lab.backend.findMissing(), undefined);
  const context = recordContext();
  const plan = await lab.backend.plan(
    specOf('{...}: { networking.hostName = "m1"; boot.kernelParams = ["quiet"]; }'),
    context,
  );
  t.regex(plan.inputKey, /^[0-9a-f]{64}$/);
  const image = await plan.build(await lab.artifacts(), context);

  t.deepEqual(context.steps, ['evaluate', 'fetch', 'build']);
  t.regex(image.commandLine, new RegExp(`^init=${lab.directory}/nix/store/.*/init quiet$`));
  t.deepEqual(
    image.initrds.map(({name}) => name),
    ['initrd', 'image.cpio'],
  );
  for (const {sizeBytes} of image.initrds) t.is(sizeBytes % 4, 0);
  const named = await readFile(image.initrds[1]?.path ?? '', 'utf8');
  t.true(named.includes(`{"input_key":"${plan.inputKey}","kind":"machine","backend":"nix"}`));
  t.deepEqual(image.bootTestSha256s, [image.kernel.sha256, image.initrds[0]?.sha256]);
  t.log(context.lines.join('\n'), context.fractions.join(' '));
});
