import test from 'ava';
import {explainAptError, parseSimulation, parseUris} from './apt.ts';

test('the simulation of apt-get tells each package and version, sorted', t => {
  const text = `Reading package lists...
Inst libgcc-s1 (12.2.0-14+deb12u1 Debian:12.15/oldstable [amd64])
Inst libc6 [2.35] (2.36-9+deb12u14 Debian:12.15/oldstable, Debian-Security:12/oldstable-security [amd64]) []
Inst adduser (3.134 Debian:12.15/oldstable [all])
Conf libc6 (2.36-9+deb12u14 Debian:12.15/oldstable [amd64])
`;
  t.deepEqual(parseSimulation(text), [
    {name: 'adduser', version: '3.134', architecture: 'all'},
    {name: 'libc6', version: '2.36-9+deb12u14', architecture: 'amd64'},
    {name: 'libgcc-s1', version: '12.2.0-14+deb12u1', architecture: 'amd64'},
  ]);
});

test('print-uris tells file names and digests', t => {
  const sha256 = '0'.repeat(64);
  t.deepEqual(
    parseUris(
      `Reading...\n'http://mirror/pool/b_1%253a1_amd64.deb' b_1%3a1_amd64.deb 1504 SHA256:${sha256}\n`,
    ),
    [{fileName: 'b_1%3a1_amd64.deb', sha256}],
  );
});

test('an unknown package is named, with what to do', t => {
  const error = explainAptError(
    new Error(
      '"apt-get" ended with status 100: E: Unable to locate package curll | E: Unable to locate package vimm',
    ),
  );
  t.is(
    error.message,
    `Cannot resolve the packages: the builder's apt sources have no "curll", "vimm"; correct the name or add the source on the builder`,
  );
});
