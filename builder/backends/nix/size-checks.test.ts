import {Diagnostic_Kind} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import test from 'ava';
import {checkSizes, memoryRequired} from './size-checks.ts';

const megabyte = 1024 * 1024;
const sizes = (initrd: number, squashfs: number, memory: number) => ({
  initrdBytes: initrd * megabyte,
  squashfsBytes: squashfs * megabyte,
  memoryBytes: memory * megabyte,
});

const table: readonly (readonly [
  name: string,
  sizes: ReturnType<typeof sizes>,
  problem: RegExp | undefined,
  warning: RegExp | undefined,
])[] = [
  ['fits', sizes(800, 780, 8192), undefined, undefined],
  ['nobody knows the memory', sizes(1800, 1700, 0), undefined, undefined],
  ['more than a third', sizes(800, 780, 2300), undefined, /more than a third.*2300 MiB/],
  ['more than the machine has', sizes(800, 780, 1024), /needs 2240 MiB.*has 1024 MiB/, undefined],
  ['without its system', sizes(100, 780, 8192), /less than the system.*780 MiB/, undefined],
  ['too large for anybody', sizes(2100, 2000, 65_536), /more than 2048 MiB do not boot/, undefined],
  ['a squashfs too large', sizes(2500, 2100, 65_536), /do not boot/, undefined],
];

for (const [name, given, problem, warning] of table)
  test(name, t => {
    const {problems, warnings} = checkSizes(given);
    t.is(problems.length, problem ? 1 : 0);
    if (problem) t.regex(problems[0]?.message ?? '', problem);
    t.true(problems.every(({kind}) => kind === Diagnostic_Kind.SIZE));
    t.is(warnings.length, warning ? 1 : 0);
    if (warning) t.regex(warnings[0] ?? '', warning);
  });

test('memory is asked for in steps, and for more than the ramdisk twice', t => {
  const required = memoryRequired(sizes(800, 780, 0));
  t.is(required % (64 * megabyte), 0);
  t.true(required >= (1600 + 640) * megabyte);
});
