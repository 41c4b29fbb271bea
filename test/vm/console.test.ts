import test from 'ava';
import {labMachines} from '@muster/cli/lab/machines.ts';
import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {openWindow, screenshot, startChromium} from '../helpers/chromium.ts';
import {openMachineRoom} from '../helpers/machine-room.ts';
import {limits} from './machine-work.ts';

test('from the first run to a machine in service without leaving the browser', async t => {
  await using room = await openMachineRoom();
  const {path} = await room.muster.client(SessionService).createSetupLink({});
  await using browser = await startChromium();
  await using window = await openWindow(browser, {url: room.muster.serverUrl});
  const {page, problems} = window;
  /** What stands beside the name of the page. */
  const state = (word: string) => page.locator('.page-title .badge', {hasText: word});
  const lab = labMachines[0];
  if (!lab) throw new Error('The lab has no machine');

  await page.goto(path);
  await page.getByLabel('User name').fill('grace');
  await page.getByLabel('Password').fill('correct horse battery');
  await page.getByRole('button', {name: 'Make the administrator'}).click();
  await page.getByRole('heading', {level: 1, name: 'Overview'}).waitFor();
  await page.getByRole('link', {name: 'Machines', exact: true}).click();
  await page.getByText('No machine has been here yet').waitFor();
  await screenshot(page, 'service-1-first-run');

  await using vm = await room.powerOn(lab, {memoryMb: 1024});
  try {
    // Nothing is loaded again by hand from here on: whatever is seen came by the stream of events.
    const row = page.getByRole('row').filter({hasText: 'Enrolled'});
    await row.waitFor({timeout: limits.enrol});
    await screenshot(page, 'service-2-enrolled');
    await row.getByRole('link').first().click();
    const tabs = page.getByRole('navigation', {name: 'Machine'});
    await tabs.getByRole('link', {name: 'Configuration'}).click();
    await page.getByLabel('Host name').fill('web-1');
    const form = page.locator('form').filter({hasText: 'Packages'});
    await form.getByRole('button', {name: 'Save'}).click();
    await page.getByText('Saved. Build the machine to use it.').waitFor();
    await screenshot(page, 'service-3-configured');

    await page.getByRole('button', {name: 'Build', exact: true}).click();
    await page.getByRole('heading', {level: 1, name: 'Image of'}).waitFor();
    await state('Running').waitFor({timeout: limits.build});
    await screenshot(page, 'service-4-building');
    const machine = page.getByRole('heading', {level: 1}).getByRole('link');
    await state('Succeeded').waitFor({timeout: limits.build});
    await screenshot(page, 'service-5-built');

    await machine.click();
    await state('Active').waitFor({timeout: limits.active});
    await tabs.getByRole('link', {name: 'Boot'}).click();
    await page.getByText('Complete', {exact: true}).first().waitFor();
    await screenshot(page, 'service-6-active');
  } catch (error) {
    await screenshot(page, 'service-failed');
    t.log(page.url(), vm.tail(40));
    throw error;
  }
  // Before somebody is signed in, asking who that is must fail.
  t.deepEqual(
    problems.filter(problem => !/401/.test(problem)),
    [],
  );
});
