import test from 'ava';
import {findBarriers} from '../../../mock/axe.ts';
import {addDiscovery} from '../../../mock/discovery.ts';
import {addMachines} from '../../../mock/machines.ts';
import {signedInAs} from '../../../mock/people.ts';
import {renderConsole} from '../../../mock/render.tsx';

const {userEvent} = await import('@testing-library/user-event');
const {within} = await import('@testing-library/react');

const open = (role: 'admin' | 'viewer' = 'admin') =>
  renderConsole('/machines/import', signedInAs(role), addMachines, addDiscovery);
const write = async (app: ReturnType<typeof open>, text: string) => {
  const field = await app.findByLabelText('Or write it here');
  await userEvent.click(field);
  await userEvent.paste(text);
};

test.serial('a dry run says line by line what would happen, and importing follows it', async t => {
  using app = open();
  t.truthy(await app.findByText(/At most 2,000 lines and 4 MiB/));
  t.deepEqual(await findBarriers(), []);
  await write(app, 'serial,hostname,label.rack\nABC1,web1,r7\nABC2,web2,r8\n');
  t.truthy(app.getByText('Label “rack”'));
  const run = app.getByRole('button', {name: 'Import'});
  t.is(run.title, 'Dry run first: it says what would happen');

  await userEvent.click(app.getByRole('button', {name: 'Dry run'}));
  t.truthy(await app.findByText('All 2 lines are fine. Nothing was changed'));
  const row = app.getByRole('row', {name: /ABC2/});
  t.truthy(within(row).getByText('Fine'));
  t.truthy(within(row).getByText(/Expected until it is seen · label rack: r8/));

  await userEvent.click(app.getByRole('button', {name: 'Import 2 machines'}));
  t.truthy(await app.findByText(/Registered 2 machines: each is expected/));
  const link = app.getByRole('link', {name: /ABC2/});
  t.is(link.getAttribute('href'), '/machines/00000000-0000-7000-8000-000000000001');
  t.truthy(app.getByRole('link', {name: 'Show the expected machines'}));
  t.deepEqual(await findBarriers(), []);
});

test.serial('bad lines are named with what to do, and left out only after a question', async t => {
  using app = open();
  await write(app, 'serial,macs\nABC1,52:54:00:aa:00:01\nABC2,junk\n');
  await userEvent.click(app.getByRole('button', {name: 'Dry run'}));
  t.truthy(await app.findByText('1 of 2 lines fine, 1 with problems. Nothing was changed'));
  const row = app.getByRole('row', {name: /ABC2/});
  t.truthy(within(row).getByText('Problem'));
  t.truthy(within(row).getByText('Write MAC addresses as 52:54:00:aa:00:01.'));
  await userEvent.click(app.getByLabelText('Only the 1 with problems'));
  t.is(app.queryByRole('row', {name: /ABC1/}), null);

  await userEvent.click(app.getByRole('button', {name: 'Import the 1 good line …'}));
  t.truthy(app.getByText(/1 line has problems and come/));
  await userEvent.click(app.getByRole('button', {name: 'Import 1 machine'}));
  t.truthy(await app.findByText('Registered 1 machine; 1 of 2 lines left out'));
  t.truthy(within(app.getByRole('row', {name: /ABC2/})).getByText('Left out'));
  t.truthy(app.getByRole('button', {name: 'Only the lines to correct'}));
});

test.serial(
  'an unknown heading is said before and by the server; no line is called fine',
  async t => {
    using app = open();
    await write(app, 'rack,serial\nr7,ABC1\n');
    t.truthy(app.getByText(/No such column/));
    await userEvent.click(app.getByRole('button', {name: 'Dry run'}));
    t.truthy(await app.findByText('No line was looked at. Nothing was changed'));
    t.truthy(app.getByText(/There is no such heading\. Remove the column/));
    t.truthy(within(app.getByRole('row', {name: /ABC1/})).getByText('Not looked at'));
    t.is(app.getByRole('button', {name: 'Import'}).title, 'No line can be imported as it is');
  },
);

test.serial('a file is read, and what is no text is refused', async t => {
  using app = open();
  const input = await app.findByLabelText('CSV file');
  await userEvent.upload(input, new File([new Uint8Array([0x73, 0xff])], 'rack7.csv'));
  t.truthy(await app.findByText(/“rack7.csv” is no UTF-8 text/));
  await userEvent.upload(input, new File(['serial\nABC1\n'], 'rack8.csv', {type: 'text/csv'}));
  t.truthy(await app.findByText('rack8.csv'));
  t.truthy(app.getByText(/1 line with a machine · 12 B/));
  t.is(app.queryByText(/no UTF-8 text/), null);
});

test.serial('a viewer is told why nothing can be imported', async t => {
  using app = open('viewer');
  await write(app, 'serial\nABC1\n');
  t.regex(app.getByRole('button', {name: 'Dry run'}).title, /role operator/);
});
