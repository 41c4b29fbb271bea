-- Subject of the client certificate that is a login of this user.
alter table users add column certificate_subject text unique check (certificate_subject <> '');
