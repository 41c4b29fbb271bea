import {existsSync} from 'node:fs';
import {mkdtemp, rm} from 'node:fs/promises';
import http from 'node:http';
import {once} from 'node:events';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import process from 'node:process';
import test from 'ava';
import {startDhcp} from './dhcp.ts';
import {createLabNetwork, hostAddressOf, type LabPlan} from './network.ts';
import {startVm} from './vm.ts';

const plan: LabPlan = {
  namespace: `muster-vm-${process.pid}`,
  hostInterface: `mvm${process.pid}`.slice(0, 15),
  prefix: '10.78.0',
  taps: ['tap0'],
};
const bootLimitMs = 90_000;

test('a machine on the lab network boots by the recipe, again after a power cycle, and nothing stays behind', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'muster-vm-'));
  {
    await using _network = await createLabNetwork(plan);
    const asked: string[] = [];
    const edge = http.createServer((request, response) => {
      asked.push(request.url ?? '');
      response.end('#!ipxe\necho SCRIPT ${smbios/serial}\nsleep 600\n');
    });
    edge.listen(0, hostAddressOf(plan));
    await once(edge, 'listening');
    const {port} = edge.address() as AddressInfo;
    const leases: string[] = [];
    await using _dhcp = await startDhcp(plan, {
      edge: {address: hostAddressOf(plan), port},
      folder,
      onLine: line => leases.push(line),
    });

    const macAddress = 'd0:67:e5:00:00:01';
    {
      await using vm = await startVm({
        name: 'stranger',
        firmware: 'bios',
        smbios: ['type=1,manufacturer=Dell Inc.,product=PowerEdge R740,serial=7XK2MQ2'],
        macAddress,
        namespace: plan.namespace,
        tap: 'tap0',
        memoryMb: 256,
        cpus: 1,
        accelerator: 'tcg',
        folder,
      });
      await vm.waitFor('SCRIPT 7XK2MQ2', bootLimitMs);
      await vm.powerCycle();
      await vm.waitFor('SCRIPT 7XK2MQ2', bootLimitMs);
      t.deepEqual(asked, ['/boot.ipxe', '/boot.ipxe']);
      t.true(leases.some(line => line.includes('DHCPACK') && line.includes(macAddress)));
      await t.throwsAsync(vm.waitFor('never said', 100), {message: /never said.*SCRIPT/s});
    }
    edge.close();
    edge.closeAllConnections();
  }
  t.false(existsSync(`/run/netns/${plan.namespace}`));
  t.false(existsSync(`/sys/class/net/${plan.hostInterface}`));
  await rm(folder, {recursive: true, force: true});
});

test.serial('a network that a crashed run left behind is made anew', async t => {
  const left = {...plan, namespace: `${plan.namespace}b`, hostInterface: `mvb${process.pid}`};
  await createLabNetwork(left);
  await using _again = await createLabNetwork(left);
  t.true(existsSync(`/run/netns/${left.namespace}`));
});
