import {wordsOf} from '../../forms/lines.ts';
import {isScriptName, unitsMistake} from '../image-tests/test-draft.ts';

/** Tests that are only named. */
export const plainTests = [
  {test: 'boot-bios', label: 'Boots with BIOS'},
  {test: 'boot-uefi', label: 'Boots with UEFI'},
  {test: 'hello', label: 'The agent says which image it is'},
  {test: 'network', label: 'Has a network'},
] as const;

/** `image_gate` of a group as it is typed. */
export type GateDraft = {
  readonly plain: readonly string[];
  readonly units: string;
  readonly scripts: string;
};

const testsMax = 16;
const ofKind = (gate: readonly string[], kind: string): readonly string[] =>
  gate.filter(test => test.startsWith(kind)).map(test => test.slice(kind.length));

export const draftOfGate = (gate: readonly string[]): GateDraft => ({
  plain: gate.filter(test => !test.includes(':')),
  units: ofKind(gate, 'service:').join('\n'),
  scripts: ofKind(gate, 'script:').join('\n'),
});

export const gateOfDraft = ({plain, units, scripts}: GateDraft): string[] => [
  ...plain,
  ...wordsOf(units).map(unit => `service:${unit}`),
  ...wordsOf(scripts).map(name => `script:${name}`),
];

/** As groups.proto declares it. */
export function gateMistakes(draft: GateDraft) {
  const scripts = wordsOf(draft.scripts);
  const wrong = scripts.find(name => !isScriptName(name));
  return {
    units: unitsMistake(wordsOf(draft.units)),
    scripts:
      wrong !== undefined
        ? `“${wrong}” is no name of a script: letters, digits, “_”, “.” and “-”`
        : new Set(scripts).size < scripts.length
          ? 'A script stands there twice'
          : undefined,
    gate: gateOfDraft(draft).length > testsMax ? `At most ${testsMax} tests in a gate` : undefined,
  };
}
