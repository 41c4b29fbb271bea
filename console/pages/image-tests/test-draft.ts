import type {MessageInitShape} from '@bufbuild/protobuf';
import type {CreateImageTestRequestSchema} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {BootTest_Firmware as Firmware} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {wordsOf} from '../../forms/lines.ts';
import {testTypes, type TypeName} from './test-words.ts';

/** A test as it is typed; numbers are texts until they are sent. */
export type TestDraft = {
  /** A digest, or a path within the image store. */
  readonly image: string;
  readonly type: TypeName;
  readonly firmware: 'both' | 'bios' | 'uefi';
  readonly units: string;
  readonly script: string;
  readonly scriptName: string;
  readonly resolveName: string;
  readonly checkSeconds: string;
  readonly seconds: string;
  readonly machineId: string;
};

export const firstDraft: TestDraft = {
  image: '',
  type: 'boot',
  firmware: 'both',
  units: '',
  script: '',
  scriptName: '',
  resolveName: '',
  checkSeconds: '',
  seconds: '',
  machineId: '',
};

/** What the server does when no firmware is named. */
export const usualFirmware = (type: TypeName): TestDraft['firmware'] =>
  type === 'boot' ? 'both' : 'bios';

const unitPattern = /^[a-zA-Z0-9:_.@-]{1,120}\.(?:service|socket|target|timer|mount|path)$/;
const unitsMax = 16;
const scriptBytesMax = 65_536;

const secondsMistake = (text: string, most: number): string | undefined =>
  text.trim() === '' || (/^\d{1,4}$/.test(text.trim()) && Number(text) <= most)
    ? undefined
    : `Whole seconds, at most ${most}; nothing for the usual limit`;

/** Units of systemd, as image_tests.proto and groups.proto declare them. */
export function unitsMistake(units: readonly string[]): string | undefined {
  const wrong = units.find(unit => !unitPattern.test(unit));
  if (wrong !== undefined) return `“${wrong}” is no unit: write NAME.service, .socket, .timer …`;
  if (new Set(units).size < units.length) return 'A unit stands there twice';
  return units.length > unitsMax ? `At most ${unitsMax} units` : undefined;
}

export const isScriptName = (text: string): boolean =>
  /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/.test(text);

function imageMistake(text: string): string | undefined {
  const image = text.trim();
  if (image === '') return 'Choose an image';
  return /^[0-9a-f]{64}$/.test(image) || image.startsWith('/images/')
    ? undefined
    : 'A digest of 64 signs, or a path that begins with /images/';
}

/** As the contract declares it. `mustNameMachine`: of those who work in some workspaces only. */
export const testMistakes = (draft: TestDraft, mustNameMachine: boolean) => ({
  image: imageMistake(draft.image),
  machine:
    mustNameMachine && draft.machineId === ''
      ? 'You work in some workspaces: say for which machine of theirs'
      : undefined,
  units:
    draft.type !== 'service'
      ? undefined
      : wordsOf(draft.units).length === 0
        ? 'Name a unit'
        : unitsMistake(wordsOf(draft.units)),
  script:
    draft.type !== 'script'
      ? undefined
      : draft.script.trim() === ''
        ? 'Write what /bin/sh shall run'
        : new TextEncoder().encode(draft.script).length > scriptBytesMax
          ? 'At most 64 KiB'
          : undefined,
  scriptName:
    draft.type !== 'script' || isScriptName(draft.scriptName.trim())
      ? undefined
      : 'Letters, digits, “_”, “.” and “-”, at most 63: gates call it so',
  resolveName:
    draft.type !== 'network' || /^$|^[a-zA-Z0-9][a-zA-Z0-9.-]*$/.test(draft.resolveName.trim())
      ? undefined
      : 'A host name, or nothing',
  checkSeconds: secondsMistake(draft.checkSeconds, 1800),
  seconds: secondsMistake(draft.seconds, 3600),
});

export const hasMistake = (mistakes: ReturnType<typeof testMistakes>): boolean =>
  Object.values(mistakes).some(mistake => mistake !== undefined);

export function requestOf(draft: TestDraft): MessageInitShape<typeof CreateImageTestRequestSchema> {
  const image = draft.image.trim();
  const {type} = draft;
  return {
    ...(image.startsWith('/') ? {imagePath: image} : {imageId: image}),
    testType: testTypes.find(({value}) => value === type)?.type ?? testTypes[0].type,
    machineId: draft.machineId,
    firmwares: {
      both: [Firmware.BIOS, Firmware.UEFI],
      bios: [Firmware.BIOS],
      uefi: [Firmware.UEFI],
    }[draft.firmware],
    plan: {
      units: type === 'service' ? wordsOf(draft.units) : [],
      script: type === 'script' ? draft.script : '',
      scriptName: type === 'script' ? draft.scriptName.trim() : '',
      resolveName: type === 'network' ? draft.resolveName.trim() : '',
      checkTimeLimitSeconds: Number(draft.checkSeconds),
      timeLimitSeconds: Number(draft.seconds),
    },
  };
}
