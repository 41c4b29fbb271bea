import type {Client} from '@connectrpc/connect';
import type {BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {type BootTest, BootTest_Firmware} from '@muster/proto/gen/muster/v1/images_pb.ts';
import type {MessageInitShape} from '@bufbuild/protobuf';
import type {BootTestSchema} from '@muster/proto/gen/muster/v1/images_pb.ts';
import type {BuildContext, BuiltImage} from '../backends/backend.ts';
import {runBootTest} from '../boot-tests/boot-test.ts';
import type {Accelerator, Firmware} from '../boot-tests/qemu.ts';
import {retryWhileTransient} from '../retry.ts';

export type BootTestSettings = {
  readonly firmwares: readonly Firmware[];
  readonly accelerator: Accelerator;
  readonly timeLimitSeconds: number;
};

export type BootTestInit = MessageInitShape<typeof BootTestSchema>;

const firmwareNumbers: Readonly<Record<Firmware, BootTest_Firmware>> = {
  bios: BootTest_Firmware.BIOS,
  uefi: BootTest_Firmware.UEFI,
};
const findDelayMaxMs = 15_000;

/** Tests the image with each firmware, or takes over what a test of the same parts has shown. Stops at the first failure. */
export async function testImage(
  {image, inputKey, fullDrivers}: {image: BuiltImage; inputKey: string; fullDrivers: boolean},
  {
    builds,
    settings,
    directory,
    context,
  }: {
    builds: Pick<Client<typeof BuildService>, 'findBootTests'>;
    settings: BootTestSettings;
    directory: string;
    context: BuildContext;
  },
): Promise<BootTestInit[]> {
  const {signal, log} = context;
  const {bootTests: earlier} = await retryWhileTransient(
    () =>
      builds.findBootTests(
        {artifactSha256s: [...image.bootTestSha256s], commandLine: image.commandLine},
        {signal},
      ),
    {signal, delayMaxMs: findDelayMaxMs},
  );

  const results: BootTestInit[] = [];
  for (const firmware of settings.firmwares) {
    context.step(`boot-test-${firmware}`);
    const reused = findPassed(earlier, firmware);
    if (reused) {
      log(`Boot test ${firmware}: passed before with the same kernel, initrd and layers`);
      results.push(reused);
      continue;
    }
    const {timeLimitSeconds, accelerator} = settings;
    log(`Boot test ${firmware}: at most ${timeLimitSeconds} s with ${accelerator}`);
    const result = await runBootTest(
      {image, inputKey, fullDrivers, firmware, accelerator, timeLimitSeconds, directory},
      {signal, log},
    );
    results.push({
      firmware: firmwareNumbers[firmware],
      passed: result.passed,
      durationMs: result.durationMs,
      consoleTail: result.consoleTail,
      failure: result.failure,
    });
    if (!result.passed) break;
    log(`Boot test ${firmware}: passed in ${(result.durationMs / 1000).toFixed(1)} s`);
  }
  return results;
}

const findPassed = (tests: readonly BootTest[], firmware: Firmware): BootTest | undefined =>
  tests.find(test => test.passed && test.firmware === firmwareNumbers[firmware]);
