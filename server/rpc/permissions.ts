import {type DescMethod, getOption, hasOption} from '@bufbuild/protobuf';
import {Health} from '@muster/proto/gen/grpc/health/v1/health_pb.ts';
import {ServerReflection} from '@muster/proto/gen/grpc/reflection/v1/reflection_pb.ts';
import {ServerReflection as ServerReflectionAlpha} from '@muster/proto/gen/grpc/reflection/v1alpha/reflection_pb.ts';
import {
  Permission,
  permission,
  WorkspaceScope,
  workspace_scope as workspaceScope,
} from '@muster/proto/gen/muster/v1/options_pb.ts';
import type {Scope} from '../audited-call.ts';

/** Each human role includes the ones after it, but a member has none; the services' roles include nothing. */
export type Role =
  | 'admin'
  | 'operator'
  | 'developer'
  | 'viewer'
  | 'member'
  | 'edge'
  | 'builder'
  | 'anonymous';

const viewers: readonly Role[] = ['viewer', 'developer', 'operator', 'admin'];

const everybody: readonly Role[] = [...viewers, 'member', 'edge', 'builder', 'anonymous'];

/** An agent proves itself inside the request, so nobody is turned away before the method has looked. */
const rolesOf: ReadonlyMap<Permission, readonly Role[]> = new Map([
  [Permission.PUBLIC, everybody],
  [Permission.AGENT, everybody],
  [Permission.EDGE, ['edge']],
  [Permission.BUILDER, ['builder']],
  [Permission.SERVICE, ['edge', 'builder']],
  [Permission.VIEW, viewers],
  [Permission.DEVELOP, viewers.slice(1)],
  [Permission.OPERATE, viewers.slice(2)],
  [Permission.ADMINISTER, viewers.slice(3)],
]);

/** Contracts that are not ours carry no permission; their services are named here. They tell what is in the public contract anyway. */
const openServices: ReadonlySet<string> = new Set([
  Health.typeName,
  ServerReflection.typeName,
  ServerReflectionAlpha.typeName,
]);

/** Nobody, when the method does not say. */
export function allowedRoles(method: DescMethod): readonly Role[] {
  if (openServices.has(method.parent.typeName)) return everybody;
  if (!hasOption(method, permission)) return [];
  return rolesOf.get(getOption(method, permission)) ?? [];
}

/** What a person's role is worth, beyond what everybody may do. */
export const permissionsOf = (role: Role): readonly Permission[] =>
  [...rolesOf]
    .filter(([, allowed]) => allowed.includes(role) && !allowed.includes('anonymous'))
    .map(([permission]) => permission);

/** Whether the method needs no authentication. */
export function isOpen(method: DescMethod): boolean {
  return allowedRoles(method).includes('anonymous');
}

/**
 * Where a caller may use the method: everywhere, or in the workspaces in which the role suffices, as the method's (workspace_scope) says. Undefined:
 * nowhere. A method that does not say is for roles that hold everywhere.
 */
export function scopeFor(
  {role, workspaces = new Map()}: {role: Role; workspaces?: ReadonlyMap<string, Role>},
  method: DescMethod,
): Scope | undefined {
  const allowed = allowedRoles(method);
  if (allowed.includes(role)) return 'everywhere';
  const isPerson = role === 'member' || viewers.includes(role);
  if (!isPerson || !hasOption(method, workspaceScope)) return undefined;
  const scope = getOption(method, workspaceScope);
  if (scope === WorkspaceScope.OWN) return [...workspaces.keys()];
  if (scope !== WorkspaceScope.MACHINES && scope !== WorkspaceScope.SHARED) return undefined;
  const sufficient = [...workspaces].filter(([, inside]) => allowed.includes(inside));
  return sufficient.length > 0 ? sufficient.map(([id]) => id) : undefined;
}
