import {Code, ConnectError, type Interceptor} from '@connectrpc/connect';
import {callerKey} from './caller.ts';
import {allowedRoles, type Role} from './permissions.ts';

/** What the method's (permission) option says is the whole check. Object-level rules are in the domain. */
export const authorize: Interceptor = next => async request => {
  const {name, role} = request.contextValues.get(callerKey);
  const allowed = allowedRoles(request.method);
  if (allowed.includes(role)) return next(request);

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
