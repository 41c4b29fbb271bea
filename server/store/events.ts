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
  const call = currentCall();
  const request = call && !call.told.has(sql) ? call.request() : undefined;
  if (call) {
    call.told.add(sql);
    call.lastChangeId = id;
  }
  const resource = subject || (machineId === undefined ? '' : `machines/${machineId}`);
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

const toJson = (values: object | undefined): string | null =>
  values === undefined ? null : JSON.stringify(maskValue(values));
