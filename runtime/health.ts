/** What `/readyz` says: every named check and whether it holds. */
export type Readiness = Readonly<Record<string, boolean>>;

/** Answers `/healthz` (the process runs) and `/readyz` (it can do its work), without authentication; undefined for other paths. */
export function answerHealth(
  path: string,
  readiness: () => Readiness,
): {readonly status: number; readonly body: string} | undefined {
  if (path === '/healthz') return {status: 200, body: '{"status":"ok"}\n'};
  if (path !== '/readyz') return undefined;

  const checks = readiness();
  const ready = Object.values(checks).every(Boolean);
  return {
    status: ready ? 200 : 503,
    body: `${JSON.stringify({status: ready ? 'ready' : 'not ready', checks})}\n`,
  };
}
