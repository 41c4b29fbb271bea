import {randomUUID} from 'node:crypto';
import test from 'ava';
import {Machine_State as State, MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {
  axeFindings,
  openWindow,
  phone,
  screenshot,
  signIn,
  startChromium,
} from '../../helpers/chromium.ts';
import {
  administrator,
  type RunningServer,
  startRunningServer,
} from '../../helpers/running-server.ts';

const [own, other] = ['3c:ec:ef:00:00:01', '3c:ec:ef:00:17:01'];

/** A record with the NICs of two boxes, and a boot of each. */
async function recordOfTwo(server: RunningServer) {
  const {machine} = await server.client(MachineService).createMachine({
    machine: {hostname: 'web1', serviceTag: 'XYZ9876', macAddresses: [own, other]},
  });
  const id = machine?.id ?? '';
  for (const [minutes, mac, serial] of [
    [5, own, 'XYZ9876'],
    [90, other, ''],
  ] as const)
    await server.sql`
      insert into boot_sessions (id, edge_session, mac_address, machine_id, serial, state, start_time, heard_time)
      select ${randomUUID()}, ${mac}, ${mac}, ${id}, ${serial}, 'completed', time, time
      from (select ${new Date(Date.now() - minutes * 60_000)}::timestamptz) as boots (time)
    `;
  return id;
}

test('a record is split by what its boots tell, merged again by undo, on a phone, too', async t => {
  await using server = await startRunningServer();
  await using browser = await startChromium();
  const id = await recordOfTwo(server);
  const machines = server.client(MachineService);
  await using window = await openWindow(browser, {url: server.url});
  const {page, problems} = window;
  await signIn(page, administrator);
  problems.length = 0;
  await page.goto(`/machines/${id}`);
  await page.getByRole('button', {name: 'More'}).click();
  await page.getByRole('menuitem', {name: 'Split the record …'}).click();
  await page.getByText('Its boots fall into 2 parts').waitFor();
  await page.getByRole('button', {name: 'This is the other box'}).last().click();
  await page.getByRole('checkbox', {name: other, checked: true}).waitFor();
  t.is(new URL(page.url()).searchParams.get('take'), other);
  t.deepEqual(await axeFindings(page), []);
  await screenshot(page, 'split');

  // The address alone shows the same to somebody else.
  await using aside = await openWindow(browser, {url: server.url, viewport: phone});
  await signIn(aside.page, administrator);
  await aside.page.goto(page.url());
  await aside.page.getByRole('checkbox', {name: other, checked: true}).waitFor();
  t.false(await aside.page.evaluate('document.documentElement.scrollWidth > innerWidth'));
  t.deepEqual(await axeFindings(aside.page), []);

  await page.getByRole('button', {name: 'Split the record …'}).click();
  await page.getByText('a NIC that stays: its agent goes on').waitFor();
  await page.getByRole('button', {name: 'Split the record', exact: true}).click();
  await page.getByRole('heading', {level: 1, name: other}).waitFor();
  const made = /\/machines\/([0-9a-f-]{36})$/.exec(page.url())?.[1] ?? '';
  t.not(made, id);
  const {machine: kept} = await machines.getMachine({id});
  t.like(kept, {hostname: 'web1', serviceTag: 'XYZ9876', macAddresses: [own]});
  const {machine: split} = await machines.getMachine({id: made});
  t.like(split, {state: State.EXPECTED, serviceTag: '', macAddresses: [other]});
  t.deepEqual(problems, []);

  await page.getByRole('button', {name: 'Undo'}).click();
  await page.getByText('web1 is one record again').waitFor();
  const {machine: joined} = await machines.getMachine({id});
  t.deepEqual(joined?.macAddresses.toSorted(), [own, other]);
});
