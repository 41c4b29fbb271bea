import {Code, ConnectError, type Interceptor} from '@connectrpc/connect';
import {callerKey} from './caller.ts';
import {allowedRoles, type Role, scopeFor} from './permissions.ts';

/**
 * What the method's (permission) and (workspace_scope) options say is the whole check. It leaves in the context whose machines the call may see,
 * which the store asks for (docs/decisions/0007-workspace-scope.md); other object-level rules are in the domain.
 */
export const authorize: Interceptor = next => async request => {
  const caller = request.contextValues.get(callerKey);
  const scope = scopeFor(caller, request.method);
  if (scope) {
    request.contextValues.set(callerKey, {...caller, scope});
    return next(request);
  }

  const {name, role} = caller;
  const allowed = allowedRoles(request.method);
  const method = request.method.name;
  if (role === 'anonymous')
    throw new ConnectError(
      `Cannot call ${method} without a token: sign in and send "Authorization: Bearer <token>"`,
      Code.Unauthenticated,
    );
  throw new ConnectError(
    `Cannot call ${method} as "${name}" with role "${role}": it needs ${describe(allowed)}`,
    Code.PermissionDenied,
  );
};

function describe(allowed: readonly Role[]): string {
  const [least] = allowed;
  return least ? `role "${allowed.join('" or "')}"` : 'a permission that nobody has';
}
