import dgram from 'node:dgram';
import {once} from 'node:events';
import net, {type AddressInfo} from 'node:net';
import test from 'ava';
import {assertPortsFree} from './ports.ts';

test('a taken port names the setting that chooses another', async t => {
  const server = net.createServer().listen(0);
  const socket = dgram.createSocket('udp4').bind(0);
  await Promise.all([once(server, 'listening'), once(socket, 'listening')]);
  const tcp = (server.address() as AddressInfo).port;
  const udp = socket.address().port;
  const needs = [
    {port: tcp, protocol: 'TCP', what: 'the server', setting: 'SERVER_PORT'},
    {port: udp, protocol: 'UDP', what: "the edge's TFTP", setting: 'TFTP_PORT'},
  ] as const;

  const error = await t.throwsAsync(assertPortsFree(needs, 0));
  t.regex(error.message, new RegExp(`TCP port ${tcp} for the server: set SERVER_PORT`));
  t.regex(error.message, new RegExp(`UDP port ${udp} for the edge's TFTP: set TFTP_PORT`));

  server.close();
  socket.close();
  await t.notThrowsAsync(assertPortsFree(needs));
});
