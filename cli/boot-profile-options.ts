import {type BootProfile, BootProfileSchema} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {create} from '@bufbuild/protobuf';
import type {Command} from 'commander';

/** As commander gives them. */
export type BootProfileOptions = {
  readonly kernelArgument?: readonly string[];
  readonly serialConsole?: string;
  readonly package?: readonly string[];
  readonly sshKey?: readonly string[];
};

/** For every command that says what machines boot with by default. */
export function addBootProfileOptions(command: Command): Command {
  return command
    .option('--kernel-argument <argument...>', 'for the kernel, in place of those before')
    .option('--serial-console <port>', 'for example ttyS0,115200; empty: none')
    .option('--package <name...>', 'Debian packages, in place of those before')
    .option('--ssh-key <line...>', 'lines of authorized_keys for root, in place of those before');
}

/** The profile before with what the options say; undefined when they say nothing. */
export function changedBootProfile(
  before: BootProfile | undefined,
  options: BootProfileOptions,
): BootProfile | undefined {
  const {kernelArgument, serialConsole, package: packages, sshKey} = options;
  if (!kernelArgument && serialConsole === undefined && !packages && !sshKey) return undefined;
  const said = (list: readonly string[]) => list.filter(text => text !== '');
  return create(BootProfileSchema, {
    kernelArguments: said(kernelArgument ?? before?.kernelArguments ?? []),
    serialConsole: serialConsole ?? before?.serialConsole ?? '',
    packages: said(packages ?? before?.packages ?? []),
    // "$(cat keys)" is one argument of several lines.
    sshAuthorizedKeys: said(
      (sshKey ?? before?.sshAuthorizedKeys ?? []).flatMap(key => key.split('\n')),
    ),
  });
}

export function describeBootProfile(profile: BootProfile | undefined): string {
  if (!profile) return '';
  const {kernelArguments, serialConsole, packages, sshAuthorizedKeys} = profile;
  return [
    kernelArguments.length > 0 ? `kernel arguments ${kernelArguments.join(' ')}` : '',
    serialConsole ? `console ${serialConsole}` : '',
    packages.length > 0 ? `packages ${packages.join(' ')}` : '',
    sshAuthorizedKeys.length > 0 ? `${sshAuthorizedKeys.length} SSH keys` : '',
  ]
    .filter(Boolean)
    .join('; ');
}
