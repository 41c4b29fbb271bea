-- Who signs in at a provider is known by its name for them, which never changes; user names and mail addresses do.
alter table users add column oidc_issuer text;
alter table users add column oidc_subject text;
alter table users add check ((oidc_issuer is null) = (oidc_subject is null));
create unique index users_by_oidc on users (oidc_issuer, oidc_subject);
