import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {setUpAgent as setUp} from '@muster/test/helpers/agent-lab.ts';
import {writeTree} from '@muster/test/helpers/tree.ts';
import test from 'ava';

test('a reboot is reported and confirmed before it is done, and done once', async t => {
  await using lab = await setUp();
  const {service, bus} = lab;
  bus.confirm.delete('result');
  lab.start();
  await bus.report(report => report.hello !== undefined);
  const commandId = bus.command(service.machineId, {reboot: {reason: 'test'}});
  const {reportId = '', result} = await bus.report(report => report.result !== undefined);
  t.like(result, {commandId, succeeded: true, message: 'Rebooting'});
  t.false(lab.lines.some(line => line.includes('would reboot')));

  bus.confirmReport(service.machineId, reportId);
  await lab.logged(/would reboot now/);
  bus.reports.length = 0;
  bus.command(service.machineId, {reboot: {reason: 'test'}}, commandId);
  const again = await bus.report(report => report.result !== undefined);
  t.is(again.reportId, reportId);
  t.is(lab.lines.filter(line => line.includes('would reboot')).length, 1);
});

test('a real power-off goes through the machine’s own program', async t => {
  await using tree = await writeTree({
    '/sbin/poweroff': {program: '#!/bin/sh\necho "$@" > "$(dirname "$0")/../called"\n'},
  });
  await using lab = await setUp({MUSTER_HOST_ACTIONS: 'real', MUSTER_ROOT: tree.root});
  lab.start();
  await lab.bus.report(report => report.hello !== undefined);
  await lab.commandUntilDone({powerOff: {}});
  await lab.commandUntilDone({locate: {}});
  t.is(await untilRead(join(tree.root, 'called')), '-f\n');
});

test('what is no command to this machine is dropped and said', async t => {
  await using lab = await setUp();
  const {service, bus} = lab;
  lab.start();
  await bus.report(report => report.hello !== undefined);
  const {machineId} = service;
  const foreign = {commandId: 'c1', machineId: 'another', reboot: {}};
  bus.send(machineId, 'reboot', foreign);
  bus.send(machineId, 'reboot', '{"commandId": ');
  bus.send(machineId, 'reboot', '[]');
  bus.send(machineId, 'wipe', {commandId: 'c2', machineId, wipe: {}});
  bus.send(machineId, 'reboot', {commandId: 'c3', machineId, reboot: {}, powerOff: {}});
  bus.send(machineId, 'reboot', {machineId, reboot: {}});
  bus.send(machineId, 'reboot', 'x'.repeat(70_000));

  const result = await lab.commandUntilDone({collectInventory: {}});
  t.like(result, {succeeded: true});
  t.is(bus.reports.filter(report => report.result).length, 1);
  const dropped = lab.lines.filter(line => line.includes('command dropped'));
  t.is(dropped.length, 7);
  t.false(lab.lines.some(line => line.includes('would reboot')));
});

test('the inventory is collected again on command', async t => {
  await using lab = await setUp();
  lab.start();
  const first = await lab.bus.report(report => report.inventory !== undefined);
  await lab.commandUntilDone({collectInventory: {}});
  const second = await lab.bus.report(
    report => report.inventory !== undefined && report.reportId !== first.reportId,
  );
  t.truthy(second.inventory?.collectors);
});

test('nothing that is away ends the agent, and it goes on by itself', async t => {
  await using lab = await setUp();
  const {service, bus, nats, bootFile} = lab;
  const boot = await readFile(bootFile, 'utf8');
  await writeFile(bootFile, 'no JSON');
  await nats.stop('SIGKILL');
  lab.start();
  await lab.logged(/starting over/);

  // boot.json is there, but the server is not.
  await writeFile(bootFile, boot.replaceAll(service.url, 'http://127.0.0.1:1'));
  await lab.logged(/not enrolled yet/);

  t.false(lab.lines.some(line => line.includes('fatal')));
  t.is(bus.reports.length, 0);
});

test('samples taken while the agent is cut off arrive together once it is back', async t => {
  await using lab = await setUp();
  const {bus, gate} = lab;
  lab.start();
  await bus.report(report => report.metrics !== undefined);
  gate.shut();
  // The third attempt comes two samples after the cut.
  await lab.logged(/no NATS connection/, 3);
  bus.reports.length = 0;
  gate.open();
  const {metrics} = await bus.report(report => (report.metrics?.samples?.length ?? 0) >= 2);
  t.truthy(metrics?.firstSequence);
  t.true(bus.reports.some(report => report.hello));
});

async function untilRead(path: string): Promise<string> {
  for (;;) {
    const text = await readFile(path, 'utf8').catch(() => '');
    if (text !== '') return text;
  }
}
