import type {Sql} from './db.ts';

/** What a use case tells the journal. `data` is plain JSON without secrets. */
export type NewEvent = {
  readonly id: string;
  readonly time: Date;
  /** Noun and past verb: "machine.enrolled". */
  readonly type: string;
  /** "user:alice", "agent:<machine id>", "builder:<name>", "edge:<name>", "local", "system". */
  readonly actor: string;
  readonly machineId?: string | undefined;
  /** "builds/<id>" */
  readonly subject?: string;
  readonly data?: Readonly<Record<string, unknown>>;
};

/** In the transaction of the change it tells about; wakes the relay when that commits. */
export async function appendEvent(sql: Sql, event: NewEvent): Promise<void> {
  await sql`
    insert into events (id, time, type, actor, machine_id, subject, data)
    values (
      ${event.id}, ${event.time}, ${event.type}, ${event.actor}, ${event.machineId ?? null},
      ${event.subject ?? ''}, ${JSON.stringify(event.data ?? {})}::text::jsonb
    )
  `;
  await sql`select pg_notify('events', '')`;
}
