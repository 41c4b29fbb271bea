import type {BootProfile} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {linesOf, wordsOf} from './lines.ts';
import {TextAreaField, TextField} from './fields.tsx';

/** As it is typed; texts, so that half a line stays as it is. */
export type BootProfileDraft = {
  readonly kernelArguments: string;
  readonly serialConsole: string;
  readonly packages: string;
  readonly sshKeys: string;
};

export const draftOfProfile = (profile: BootProfile | undefined): BootProfileDraft => ({
  kernelArguments: profile?.kernelArguments.join('\n') ?? '',
  serialConsole: profile?.serialConsole ?? '',
  packages: profile?.packages.join(' ') ?? '',
  sshKeys: profile?.sshAuthorizedKeys.join('\n') ?? '',
});

export const profileOfDraft = (draft: BootProfileDraft) => ({
  kernelArguments: linesOf(draft.kernelArguments),
  serialConsole: draft.serialConsole.trim(),
  packages: wordsOf(draft.packages),
  sshAuthorizedKeys: linesOf(draft.sshKeys),
});

const consolePattern = /^$|^tty[A-Za-z]{1,8}\d{1,3}(,\d{3,7}[neo]?[78]?)?$/;
export const profileMistakes = ({serialConsole, sshKeys, kernelArguments}: BootProfileDraft) => ({
  serialConsole: consolePattern.test(serialConsole.trim())
    ? undefined
    : 'Write it as the kernel takes it: ttyS0,115200',
  sshKeys: linesOf(sshKeys).every(line => /^(ssh-|ecdsa-|sk-)/.test(line))
    ? undefined
    : 'Each line is a public key and begins with ssh-, ecdsa- or sk-',
  kernelArguments: linesOf(kernelArguments).some(line => /\s/.test(line))
    ? 'One argument a line, without spaces'
    : undefined,
});

export function BootProfileFields({
  draft,
  onChange,
}: {
  readonly draft: BootProfileDraft;
  readonly onChange: (draft: BootProfileDraft) => void;
}) {
  const mistakes = profileMistakes(draft);
  const set = (name: keyof BootProfileDraft) => (event: {target: {value: string}}) =>
    onChange({...draft, [name]: event.target.value});
  const lines = (name: keyof BootProfileDraft) => ({
    rows: 3,
    className: 'input mono',
    spellCheck: false,
    value: draft[name],
    onChange: set(name),
  });
  return (
    <div className="field-columns">
      <TextField
        label="Serial console"
        hint="Beside the screen"
        placeholder="ttyS0,115200"
        className="input mono"
        value={draft.serialConsole}
        error={mistakes.serialConsole}
        onChange={set('serialConsole')}
      />
      <TextField
        label="Debian packages"
        hint="Of the debian back end; with spaces between them"
        placeholder="htop ethtool"
        className="input mono"
        value={draft.packages}
        onChange={set('packages')}
      />
      <TextAreaField
        {...lines('kernelArguments')}
        label="Kernel arguments"
        hint="One a line"
        error={mistakes.kernelArguments}
      />
      <TextAreaField
        {...lines('sshKeys')}
        label="SSH keys of root"
        hint="Public keys, one a line"
        error={mistakes.sshKeys}
      />
    </div>
  );
}
