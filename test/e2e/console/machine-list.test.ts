import {readFile} from 'node:fs/promises';
import test from 'ava';
import {parse} from 'csv-parse/sync';
import type {Download, Page} from 'playwright-core';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {SearchService} from '@muster/proto/gen/muster/v1/searches_pb.ts';
import {User_Role as Role, UserService} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {
  axeFindings,
  openWindow,
  screenshot,
  signIn,
  startChromium,
} from '../../helpers/chromium.ts';
import {administrator, startRunningServer} from '../../helpers/running-server.ts';

const stack = new AsyncDisposableStack();
const setUp = (async () => {
  const server = stack.use(await startRunningServer());
  const machines = server.client(MachineService);
  for (const [index, hostname] of ['web1', 'web2', 'db1'].entries())
    await machines.createMachine({
      machine: {
        hostname,
        serviceTag: `LIST00${index}`,
        macAddresses: [`52:54:00:aa:00:0${index}`],
        labels: {rack: index === 0 ? '=1+1, "r7"' : 'r8', tier: 'x'},
      },
    });
  const browser = stack.use(await startChromium());
  return {server, machines, browser};
})();
test.after.always(() => stack.disposeAsync());

async function downloaded(page: Page, press: () => Promise<void>) {
  const [download] = await Promise.all([page.waitForEvent('download'), press()]);
  return {name: download.suggestedFilename(), text: await textOf(download)};
}
const textOf = async (download: Download) => readFile(await download.path(), 'utf8');

test.serial(
  'the CSV of a filter holds what the API says, and nothing that a sheet would run',
  async t => {
    const {server, machines, browser} = await setUp;
    await using window = await openWindow(browser, {url: server.url});
    const {page} = window;
    await signIn(page, administrator);
    await page.goto('/machines?filter=hostname+%3D+%22web*%22&order=hostname+desc');
    await page.getByRole('grid', {name: 'Machines'}).getByText('web2').first().waitFor();
    const {name, text} = await downloaded(page, () =>
      page.getByRole('button', {name: 'CSV', exact: true}).click(),
    );
    await page.getByText('Exported 2 machines').waitFor();

    t.regex(name, /^machines-\d{4}-\d\d-\d\d\.csv$/);
    const rows = parse<Record<string, string>>(text, {columns: true});
    const answer = await machines.listMachines({
      filter: 'hostname = "web*"',
      orderBy: 'hostname desc',
    });
    t.deepEqual(
      rows.map(row => [row['id'], row['hostname'], row['service_tag'], row['mac_address']]),
      answer.machines.map(({id, hostname, serviceTag, macAddress}) => [
        id,
        hostname,
        serviceTag,
        macAddress,
      ]),
    );
    t.deepEqual(
      rows.map(row => [row['state'], row['labels']?.split(' tier=')[0]]),
      [
        ['EXPECTED', 'rack=r8'],
        ['EXPECTED', 'rack==1+1, "r7"'],
      ],
    );
    t.true(rows.every(row => Object.values(row).every(cell => !/^[=+@-]/.test(cell))));
  },
);

test.serial(
  'a view is saved, is there after a reload, is applied, deleted and put back',
  async t => {
    const {server, browser} = await setUp;
    await using window = await openWindow(browser, {url: server.url});
    const {page} = window;
    await signIn(page, administrator);
    await page.goto('/machines?filter=labels.rack+%3D+r8&order=hostname');
    await saveView(page, 'rack eight', false);
    await page.getByRole('button', {name: 'rack eight'}).waitFor();

    await page.goto('/machines');
    await page.getByRole('grid', {name: 'Machines'}).getByText('web1').first().waitFor();
    await page.getByRole('button', {name: 'Views'}).click();
    await page.getByRole('menuitem', {name: 'rack eight'}).click();
    await page.waitForURL(/filter=labels\.rack/);
    await page.getByText('web1').first().waitFor({state: 'detached'});
    t.is(new URL(page.url()).searchParams.get('order'), 'hostname');

    await page.getByRole('button', {name: 'rack eight'}).click();
    await page.getByRole('menuitem', {name: 'Delete “rack eight”'}).click();
    await page.getByText('Deleted the view “rack eight”').waitFor();
    await page.getByRole('button', {name: 'Views'}).waitFor();
    await page.getByRole('button', {name: 'Undo'}).click();
    await page.getByRole('button', {name: 'rack eight'}).waitFor();
    await page.reload();
    await page.getByRole('button', {name: 'rack eight'}).waitFor();
  },
);

test.serial(
  'others see what is shared, not what is one’s own, and viewers cannot share',
  async t => {
    const {server, browser} = await setUp;
    const password = 'looks at everything';
    await server.client(UserService).createUser({username: 'vera', password, role: Role.VIEWER});
    await using office = await openWindow(browser, {url: server.url});
    await signIn(office.page, administrator);
    await office.page.goto('/machines?filter=labels.tier+%3D+x');
    await saveView(office.page, 'tier x', true);
    await office.page.getByRole('button', {name: 'tier x'}).waitFor();

    await using window = await openWindow(browser, {url: server.url});
    const {page} = window;
    await signIn(page, {username: 'vera', password});
    await page.goto('/machines?filter=web1');
    await page.getByRole('button', {name: 'Views'}).click();
    await page.getByRole('menuitem', {name: 'tier x (everybody’s)'}).waitFor();
    t.is(await page.getByRole('menuitem', {name: 'rack eight'}).count(), 0);
    await page.getByRole('menuitem', {name: 'Save this view …'}).click();
    t.true(await page.getByLabel('Everybody sees it').isDisabled());
    await page.getByRole('button', {name: 'Cancel'}).click();

    // What is everybody's is not a viewer's to delete.
    await page.goto('/machines?filter=labels.tier+%3D+x');
    await page.getByRole('button', {name: 'tier x'}).click();
    await page.getByRole('menuitem', {name: 'Delete “tier x”'}).click();
    await page.getByText(/it takes an operator to change what everybody sees/).waitFor();
    const {searches} = await server.client(SearchService).listSearches({});
    t.deepEqual(
      searches.map(({name, shared}) => [name, shared]),
      [['tier x', true]],
    );
  },
);

async function saveView(page: Page, name: string, isShared: boolean): Promise<void> {
  await page.getByRole('button', {name: 'Views'}).click();
  await page.getByRole('menuitem', {name: 'Save this view …'}).click();
  await page.getByLabel('Name').fill(name);
  if (isShared) await page.getByLabel('Everybody sees it').check();
  await page.getByRole('button', {name: 'Save', exact: true}).click();
  await page.getByText(`Saved the view “${name}”`).waitFor();
}

const csv = `serial,macs,hostname,label.rack
IMP0001,52:54:00:bb:00:01,app1,r9
IMP0002,52:54:00:bb:00:zz,app2,r9
LIST000,,app3,r9
"IMP0004",52:54:00:bb:00:04,app4,"r9"
`;

test.serial(
  'a file is dry-run line by line, its good lines are imported, the others downloaded',
  async t => {
    const {server, machines, browser} = await setUp;
    await using window = await openWindow(browser, {url: server.url});
    const {page, problems} = window;
    await signIn(page, administrator);
    problems.length = 0;
    await page.getByRole('link', {name: 'Machines', exact: true}).click();
    await page.getByRole('link', {name: 'Import', exact: true}).click();
    await page.getByText('At most 2,000 lines and 4 MiB').waitFor();
    t.deepEqual(await axeFindings(page), []);

    // Dropped from the desktop.
    const data = await page.evaluateHandle(
      `(() => {
      const data = new DataTransfer();
      data.items.add(new File([${JSON.stringify(csv)}], 'rack9.csv', {type: 'text/csv'}));
      return data;
    })()`,
    );
    await page.locator('.csv-source').dispatchEvent('drop', {dataTransfer: data});
    await page.getByText('4 lines with a machine').waitFor();
    await page.getByRole('button', {name: 'Dry run'}).click();
    await page.getByText('2 of 4 lines fine, 2 with problems. Nothing was changed').waitFor();
    await page.getByRole('row', {name: /app2.*Problem.*is no MAC address/}).waitFor();
    await page.getByRole('row', {name: /app3.*Problem.*it is machine web1/}).waitFor();
    t.deepEqual(await axeFindings(page), []);
    await screenshot(page, 'import');
    const imported = {filter: 'labels.rack = r9', orderBy: 'hostname'};
    t.deepEqual((await machines.listMachines(imported)).machines, []);

    await page.getByRole('button', {name: 'Import the 2 good lines …'}).click();
    await page.getByRole('button', {name: 'Import 2 machines'}).click();
    await page.getByText('Registered 2 machines; 2 of 4 lines left out').waitFor();
    const {machines: made} = await machines.listMachines(imported);
    t.deepEqual(
      made.map(({hostname, serviceTag, macAddress}) => [hostname, serviceTag, macAddress]),
      [
        ['app1', 'IMP0001', '52:54:00:bb:00:01'],
        ['app4', 'IMP0004', '52:54:00:bb:00:04'],
      ],
    );
    const toCorrect = await downloaded(page, () =>
      page.getByRole('button', {name: 'Only the lines to correct'}).click(),
    );
    t.is(toCorrect.name, 'lines-to-correct.csv');
    t.deepEqual(toCorrect.text.split('\n'), [
      ...csv.split('\n').filter((_, at) => [0, 2, 3].includes(at)),
      '',
    ]);
    const wrong = await downloaded(page, () =>
      page.getByRole('button', {name: 'Problems as CSV'}).click(),
    );
    t.regex(wrong.text, /^line,column,problem,remedy\r\n3,macs,/);

    await page.getByRole('row', {name: /app4/}).getByRole('link').click();
    await page.getByRole('heading', {level: 1, name: 'app4'}).waitFor();
    t.deepEqual(problems, []);
  },
);

test.serial('what is too large or no text is refused before it is sent', async t => {
  const {server, browser} = await setUp;
  await using window = await openWindow(browser, {url: server.url});
  const {page} = window;
  await signIn(page, administrator);
  await page.goto('/machines/import');
  const choose = (name: string, buffer: Buffer) =>
    page.getByLabel('CSV file').setInputFiles({name, mimeType: 'text/csv', buffer});
  await choose('huge.csv', Buffer.alloc(4 * 1024 * 1024 + 1, 'a'));
  await page.getByText('It has 4.0 MiB, and at most 4 MiB are taken').waitFor();
  await choose('sheet.xlsx', Buffer.from([0x50, 0x4b, 0x03, 0x04, 0xff, 0xfe]));
  await page.getByText('“sheet.xlsx” is no UTF-8 text').waitFor();
  t.is(await page.getByRole('button', {name: 'Dry run'}).count(), 0);
});
