-- What a machine has ever been recognised by; junk values never get here (domain/identifiers.ts).
create table machine_evidence (
  machine_id uuid not null references machines (id) on delete cascade,
  kind text not null,
  value text not null,
  primary key (machine_id, kind, value)
);
create index machine_evidence_by_value on machine_evidence (kind, value);

-- What a script without a token said about its machine: a note, never trusted.
alter table machines add column sighting_note text not null default '';

-- Public keys of agents. Each boot of an image that runs from memory brings a new one.
create table agent_keys (
  public_key text primary key,
  machine_id uuid not null references machines (id) on delete cascade,
  state text not null check (state in ('current', 'replaced', 'revoked')),
  boot_id text not null default '',
  boot_session text not null default '',
  image_input_key text not null default '',
  agent_version text not null default '',
  create_time timestamptz not null,
  -- When it stopped being the current one.
  end_time timestamptz
);
create unique index agent_keys_current on agent_keys (machine_id) where state = 'current';
create index agent_keys_of_machine on agent_keys (machine_id, create_time);

-- A boot token belongs to the first public key that presents it.
create table boot_tokens (
  id text primary key,
  public_key text not null,
  machine_id uuid references machines (id) on delete cascade,
  expire_time timestamptz not null
);
create index boot_tokens_by_expiry on boot_tokens (expire_time);

-- Reports that are committed: the one place of deduplication.
create table agent_reports (
  machine_id uuid not null references machines (id) on delete cascade,
  report_id uuid not null,
  time timestamptz not null,
  primary key (machine_id, report_id)
);
create index agent_reports_by_time on agent_reports (time);
