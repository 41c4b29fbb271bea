import type {BootProfile as BootProfileMessage} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import type {BootProfile} from '../store/groups.ts';

export const toBootProfileMessage = (profile: BootProfile) => ({
  kernelArguments: [...profile.kernelArguments],
  serialConsole: profile.serialConsole,
  packages: [...profile.packages],
  sshAuthorizedKeys: [...profile.sshAuthorizedKeys],
});

/** Undefined when it says nothing: an empty profile is none. */
export function fromBootProfileMessage(
  message: BootProfileMessage | undefined,
): BootProfile | undefined {
  if (!message) return undefined;
  const {kernelArguments, serialConsole, packages, sshAuthorizedKeys} = message;
  const isEmpty =
    serialConsole === '' &&
    [kernelArguments, packages, sshAuthorizedKeys].every(list => list.length === 0);
  return isEmpty ? undefined : {kernelArguments, serialConsole, packages, sshAuthorizedKeys};
}
