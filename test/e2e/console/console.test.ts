import test from 'ava';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {
  axeFindings,
  openWindow,
  phone,
  screenshot,
  signIn,
  startChromium,
  wide,
} from '../../helpers/chromium.ts';
import {administrator, startRunningServer} from '../../helpers/running-server.ts';

const stack = new AsyncDisposableStack();
const setUp = (async () => {
  const server = stack.use(await startRunningServer());
  const browser = stack.use(await startChromium());
  return {server, browser};
})();
test.after.always(() => stack.disposeAsync());

const box = {serviceTag: 'ABC1234', macAddress: '52:54:00:aa:00:01'} as const;

test.serial('the setup link makes an administrator, who is inside at once', async t => {
  const {server, browser} = await setUp;
  const {path} = await server.client(SessionService).createSetupLink({});
  await using window = await openWindow(browser, {url: server.url});
  const {page, problems} = window;

  await page.goto(path);
  await page.getByLabel('User name').fill('grace');
  await page.getByLabel('Password').fill('short');
  await page.getByRole('button', {name: 'Make the administrator'}).click();
  await page.getByText('5 more characters are needed').waitFor();
  await screenshot(page, 'setup');
  await page.getByLabel('Password').fill('correct horse battery');
  await page.getByRole('button', {name: 'Make the administrator'}).click();
  await page.getByRole('heading', {level: 1, name: 'Overview'}).waitFor();
  await page.getByText('No machine has been here yet').waitFor();
  await screenshot(page, 'first-run');

  t.deepEqual(
    problems.filter(problem => !/401/.test(problem)),
    [],
  );
  // Nothing that proves who one is can be read by scripts.
  t.is(await page.evaluate('document.cookie'), '');
  t.deepEqual(await page.evaluate('Object.keys(localStorage)'), []);
});

test.serial('a machine that is seen while the list is open appears in it', async t => {
  const {server, browser} = await setUp;
  const machines = server.client(MachineService);
  await using window = await openWindow(browser, {url: server.url});
  const {page} = window;
  await signIn(page, administrator);
  await page.getByText('Live', {exact: true}).waitFor();
  await page.getByRole('link', {name: 'Machines', exact: true}).click();
  await page.getByText('No machine has been here yet').waitFor();

  await machines.enrollMachine(box);
  await page.getByRole('link', {name: 'ABC1234'}).click();
  await page.getByRole('heading', {level: 1, name: 'ABC1234'}).waitFor();
  await page.getByRole('navigation', {name: 'Machine'}).getByRole('link', {name: 'Events'}).click();
  await page
    .getByRole('grid', {name: 'Events of this machine'})
    .getByText('Machine discovered')
    .waitFor();
  t.regex(page.url(), /\/machines\/[0-9a-f-]{36}\/events$/);
});

test.serial('keys alone find a machine, mark it and label it', async t => {
  const {server, browser} = await setUp;
  const machines = server.client(MachineService);
  await using window = await openWindow(browser, {url: server.url});
  const {page} = window;
  await signIn(page, administrator);
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', {name: 'Page, machine or action'}).fill('machines');
  await page.keyboard.press('Enter');

  const grid = page.getByRole('grid', {name: 'Machines'});
  await grid.getByText('ABC1234').first().waitFor();
  await grid.focus();
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await page.getByText('1 machine selected').waitFor();
  await page.getByRole('button', {name: 'Label', exact: true}).focus();
  await page.keyboard.press('Enter');
  await page.getByLabel('Set', {exact: true}).fill('rack=r7');
  await page.getByRole('dialog').getByRole('button', {name: 'Dry run'}).click();
  await page.getByText('It would work for 1 machine').waitFor();
  await screenshot(page, 'dry-run');
  await page.getByRole('dialog').getByRole('button', {name: 'Label', exact: true}).click();
  await grid.getByText('rack=r7').waitFor();

  const {machines: labelled} = await machines.listMachines({filter: 'labels.rack = r7'});
  t.is(labelled.length, 1);
});

test.serial('whoever is signed out elsewhere comes back to where they were', async t => {
  const {server, browser} = await setUp;
  await using window = await openWindow(browser, {url: server.url});
  const {page} = window;
  await signIn(page, administrator);
  await page.goto('/machines?filter=state+%3D+DISCOVERED');
  await page.getByRole('link', {name: 'ABC1234'}).waitFor();

  await page.evaluate(`fetch('/api/v1/logout', {method: 'POST', body: '{}'})`);
  await page.getByRole('link', {name: 'Issues', exact: true}).click();
  await page.getByRole('heading', {name: 'Sign in'}).waitFor();
  await page.getByLabel('User name').fill(administrator.username);
  await page.getByLabel('Password').fill(administrator.password);
  await page.getByRole('button', {name: 'Sign in', exact: true}).click();
  await page.getByRole('heading', {level: 1, name: 'Issues'}).waitFor();
  t.is(new URL(page.url()).pathname, '/issues');
});

const paths = [
  '/',
  '/machines',
  '/machines/import',
  '/pending',
  '/issues',
  '/groups',
  '/groups?mode=new',
  '/rules',
  '/templates',
  '/builds',
  '/images',
  '/image-tests',
  '/operations',
  '/events',
  '/boot',
  '/workspaces',
  '/people',
  '/people?tab=account',
  '/webhooks',
  '/audit',
  '/settings',
];
const tabs = [
  '',
  '/boot',
  '/hardware',
  '/metrics',
  '/config',
  '/images',
  '/issues',
  '/events',
  '/audit',
  '/sheet',
  '/split',
];

for (const [name, viewport, colorScheme] of [
  ['wide', wide, 'light'],
  ['dark', wide, 'dark'],
  ['phone', phone, 'light'],
] as const)
  test.serial(`every page is accessible, and nothing goes wrong in it: ${name}`, async t => {
    const {server, browser} = await setUp;
    const machines = server.client(MachineService);
    const {machine} = await machines.enrollMachine(box);
    await using window = await openWindow(browser, {url: server.url, viewport, colorScheme});
    const {page, problems} = window;
    await page.goto('/sign-in');
    await page.getByRole('heading', {name: 'Sign in'}).waitFor();
    t.deepEqual(await axeFindings(page), [], 'sign-in');
    await screenshot(page, `sign-in-${name}`);
    await signIn(page, administrator);
    // Nobody was signed in at first: the answer to "who am I" says so.
    problems.length = 0;

    for (const path of [...paths, ...tabs.map(tab => `/machines/${machine?.id}${tab}`)]) {
      await page.goto(path);
      await page.getByRole('heading', {level: 1}).first().waitFor();
      await page.locator('.skeleton').first().waitFor({state: 'detached'});
      t.deepEqual(await axeFindings(page), [], path);
      t.false(
        await page.evaluate('document.documentElement.scrollWidth > innerWidth'),
        `${path} is wider than the window`,
      );
      const file =
        path
          .replace(machine?.id ?? '', 'machine')
          .replaceAll(/[/?=]/g, '-')
          .replace(/^-/, '') || 'overview';
      await screenshot(page, `${file}-${name}`);
    }
    // A machine that has reported nothing has no hardware: the answer is 404, and the page says so in words.
    t.deepEqual(
      problems.filter(problem => !/status of 404/.test(problem)),
      [],
    );
  });
