-- The session of a browser is proved by a secret in a cookie; here is its digest. With each use expire_time moves on, up to limit_time.
alter table sessions add column cookie_sha256 bytea unique;
alter table sessions add column limit_time timestamptz;
alter table sessions add check ((cookie_sha256 is null) = (limit_time is null));
