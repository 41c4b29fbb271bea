import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {useMay} from './caller.ts';

const words: Readonly<Partial<Record<Permission, string>>> = {
  [Permission.DEVELOP]: 'developer',
  [Permission.OPERATE]: 'operator',
  [Permission.ADMINISTER]: 'admin',
};

/** Why somebody may not, for a button's `disabledReason`; undefined when they may. Without a workspace: everywhere. */
export function useReason(permission: Permission, workspaceId?: string): string | undefined {
  const may = useMay(permission, workspaceId);
  if (may) return undefined;
  const where = workspaceId === undefined ? ' for the whole site' : '';
  return `This takes the role ${words[permission] ?? 'viewer'}${where}; ask an administrator`;
}
