import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import type {GetCallerResponse} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {useQuery} from '@connectrpc/connect-query';

/** Who looks at the page. The shell has loaded it before anything inside is rendered. */
export const useCaller = (): GetCallerResponse | undefined =>
  useQuery(SessionService.method.getCaller, {}, {staleTime: 60_000}).data;

/**
 * Whether one may, everywhere or in a workspace; `workspaceId` "any" asks for at least one. Only hides and disables: the server
 * decides again at each call.
 */
export function mayCaller(
  caller: GetCallerResponse | undefined,
  permission: Permission,
  workspaceId = '',
): boolean {
  return (caller?.grants ?? []).some(
    grant =>
      (grant.workspaceId === '' ||
        workspaceId === 'any' ||
        (workspaceId !== '' && grant.workspaceId === workspaceId)) &&
      grant.permissions.includes(permission),
  );
}

export const useMay = (permission: Permission, workspaceId?: string): boolean =>
  mayCaller(useCaller(), permission, workspaceId);

/** For a button's `disabledReason`. */
export function useOperateReason(workspaceId?: string): string | undefined {
  return useMay(Permission.OPERATE, workspaceId)
    ? undefined
    : 'This takes the role operator; ask an administrator';
}
