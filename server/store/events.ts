import {maskValue} from '../masking.ts';
import {currentCall} from '../audited-call.ts';
import {announce} from './announcements.ts';
import type {Sql} from './db.ts';

/** A resource before and after, as far as it changed. Without `before` it was created, without `after` deleted. */
export type Change = {
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
};

/** What a use case tells the journal. `data` is plain JSON without secrets. */
export type NewEvent = {
  readonly id: string;
  readonly time: Date;
  /** Noun and past verb: "machine.enrolled". */
  readonly type: string;
  /** "user:alice", "agent:<machine id>", "builder:<name>", "edge:<name>", "rule:<name>", "local", "system". */
  readonly actor: string;
  readonly machineId?: string | undefined;
  /** "builds/<id>" */
  readonly subject?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  /** For the audit only; secrets are masked here. */
  readonly change?: Change;
};

/**
 * In the transaction of the change it tells about: the event, and the audit's entry with whoever called. Wakes the relay when that has committed. One
 * statement for both.
 */
export async function appendEvent(sql: Sql, event: NewEvent): Promise<void> {
  const {id, time, type, actor, machineId, subject = '', data = {}, change = {}} = event;
  const {call, request} = note(sql, id);
  const resource = resourceOf(event);
  await sql`
    with event as (
      insert into events (id, time, type, actor, machine_id, subject, data)
      values (
        ${id}, ${time}, ${type}, ${actor}, ${machineId ?? null}, ${subject},
        ${JSON.stringify(data)}::text::jsonb
      )
    ), entry as (
      insert into audit_entries (
        id, time, call_id, actor, address, method, resource, action, request, before, after, outcome, duration_ms
      )
      values (
        ${id}, ${time}, ${call?.id ?? null}, ${call?.caller() ?? actor}, ${call?.address() ?? ''},
        ${call?.method ?? ''}, ${resource}, ${type}, ${request ?? null}::text::jsonb,
        ${toJson(change.before)}::text::jsonb, ${toJson(change.after)}::text::jsonb,
        'ok', ${call?.elapsedMs() ?? 0}
      )
    )
    select
  `;
  await announce(sql, 'events');
}

/** The same for many, in their order: one statement for all of them. */
export async function appendEvents(sql: Sql, events: readonly NewEvent[]): Promise<void> {
  const last = events.at(-1);
  if (!last) return;
  const {call, request} = note(sql, last.id);
  const rows = events.map(({subject = '', data = {}, change = {}, ...event}, place) => ({
    ...event,
    place,
    subject,
    data,
    resource: resourceOf({...event, subject}),
    caller: call?.caller() ?? event.actor,
    before: toJson(change.before),
    after: toJson(change.after),
  }));
  await sql`
    with given as materialized (
      select * from json_to_recordset(${JSON.stringify(rows)}::text::json) as given (
        place int, id uuid, time timestamptz, type text, actor text, "machineId" uuid, subject text, data jsonb,
        resource text, caller text, before text, after text
      )
    ), event as (
      insert into events (id, time, type, actor, machine_id, subject, data)
      select id, time, type, actor, "machineId", subject, data from given order by place
    ), entry as (
      insert into audit_entries (
        id, time, call_id, actor, address, method, resource, action, request, before, after, outcome, duration_ms
      )
      select id, time, ${call?.id ?? null}::uuid, caller, ${call?.address() ?? ''}, ${call?.method ?? ''}, resource, type,
        case when place = 0 then ${request ?? null}::text::jsonb end, before::jsonb, after::jsonb,
        'ok', ${call?.elapsedMs() ?? 0}::int
      from given order by place
    )
    select
  `;
  await announce(sql, 'events');
}

/** The call that this belongs to, and what it asked for when nothing of this transaction has told that yet. */
function note(sql: Sql, lastId: string) {
  const call = currentCall();
  if (!call) return {call, request: undefined};
  const request = call.told.has(sql) ? undefined : call.request();
  call.told.add(sql);
  call.lastChangeId = lastId;
  return {call, request};
}

const resourceOf = ({subject = '', machineId}: Pick<NewEvent, 'subject' | 'machineId'>): string =>
  subject || (machineId === undefined ? '' : `machines/${machineId}`);

const toJson = (values: object | undefined): string | null =>
  values === undefined ? null : JSON.stringify(maskValue(values));
