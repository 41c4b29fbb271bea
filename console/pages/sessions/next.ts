/** Where to go after signing in: a path of this console, never another site ("//evil.example", "/\\evil.example"). */
export const safeNext = (next: string | undefined): string =>
  next !== undefined && /^\/(?![/\\])/.test(next) && !/^\/(sign-in|setup|reset|oidc)\b/.test(next)
    ? next
    : '/';
