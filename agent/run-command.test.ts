import {chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import test from 'ava';
import {createTools} from './run-command.ts';

test('programs are found where Debian and NixOS have them, and nowhere else', t => {
  const root = mkdtempSync(join(tmpdir(), 'muster-tools-'));
  t.teardown(() => rmSync(root, {recursive: true}));
  const put = (path: string, mode = 0o755) => {
    const file = join(root, path);
    mkdirSync(dirname(file), {recursive: true});
    writeFileSync(file, '');
    chmodSync(file, mode);
    return file;
  };
  const tools = createTools(root);

  t.is(tools.find('ipmitool'), undefined);
  const onNixos = put('run/current-system/sw/bin/ipmitool');
  t.is(tools.find('ipmitool'), onNixos);
  const onDebian = put('usr/bin/ipmitool');
  t.is(tools.find('ipmitool'), onDebian);
  put('opt/bin/ethtool');
  put('usr/sbin/ethtool', 0o644);
  t.is(tools.find('ethtool'), undefined);
});
