import {timestampFromDate} from '@bufbuild/protobuf/wkt';
import {AuditEntry_Outcome as Outcome} from '@muster/proto/gen/muster/v1/audit_pb.ts';

/** As the address has it; times as ISO 8601, or as "24h" before now. */
export type AuditSearch = {
  readonly actor?: string | undefined;
  readonly resource?: string | undefined;
  readonly outcome?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
};

const outcomes: Readonly<Record<string, Outcome>> = {
  ok: Outcome.OK,
  refused: Outcome.REFUSED,
  failed: Outcome.FAILED,
};
const hoursOf: Readonly<Record<string, number>> = {h: 1, d: 24};
const hourMs = 3_600_000;

/** Rounded to a minute, so that an address asks the same question for that long. */
export function timeOf(text: string | undefined, nowMs = Date.now()): Date | undefined {
  const [, count, unit = ''] = /^(\d{1,5})([hd])$/.exec(text ?? '') ?? [];
  if (count !== undefined) {
    const ms = nowMs - Number(count) * (hoursOf[unit] ?? 1) * hourMs;
    return new Date(Math.floor(ms / 60_000) * 60_000);
  }
  const time = new Date(text ?? '');
  return Number.isNaN(time.getTime()) ? undefined : time;
}

export function filterOf({actor, resource, outcome, since, until}: AuditSearch) {
  const startTime = timeOf(since);
  const endTime = timeOf(until);
  return {
    actor: actor ?? '',
    resource: resource ?? '',
    outcome: outcomes[outcome ?? ''] ?? Outcome.UNSPECIFIED,
    ...(startTime && {startTime: timestampFromDate(startTime)}),
    ...(endTime && {endTime: timestampFromDate(endTime)}),
  };
}

/** Over REST, one JSON object a line; oldest first, everything that fits. */
export function exportHref({actor, resource, outcome, since, until}: AuditSearch): string {
  const query = new URLSearchParams();
  const set = (name: string, value: string | undefined) => {
    if (value) query.set(name, value);
  };
  set('actor', actor);
  set('resource', resource);
  set('outcome', outcomes[outcome ?? ''] === undefined ? undefined : outcome);
  set('start_time', timeOf(since)?.toISOString());
  set('end_time', timeOf(until)?.toISOString());
  const text = query.toString();
  return `/api/v1/audit/export${text && `?${text}`}`;
}
