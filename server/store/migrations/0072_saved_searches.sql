create table saved_searches (
  id uuid primary key,
  -- As the journal names people; empty: everybody's.
  owner text not null,
  name text not null,
  filter text not null,
  order_by text not null,
  create_time timestamptz not null
);
create unique index saved_searches_by_name on saved_searches (owner, lower(name));
