import {BootSession_State as State} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import test from 'ava';
import {findBarriers} from '../../mock/axe.ts';
import {addBoot, bootCalls} from '../../mock/boot.ts';
import {addEvents} from '../../mock/events.ts';
import {eventually} from '../../mock/eventually.ts';
import {addImages, imageId} from '../../mock/images.ts';
import {addMachines} from '../../mock/machines.ts';
import {renderConsole} from '../../mock/render.tsx';
import {addSessions} from '../../mock/sessions.ts';

const {userEvent} = await import('@testing-library/user-event');
const {within} = await import('@testing-library/react');
const nouns = [addSessions, addMachines, addEvents, addImages, addBoot] as const;

test.serial('a typed MAC is explained rule by rule, and stands in the address', async t => {
  using app = renderConsole('/boot', ...nouns);
  const user = userEvent.setup();
  await user.type(await app.findByLabelText(/^MAC, serial number/), '52:54:00:00:00:07{Enter}');
  t.truthy(await app.findByText('Boot the local disk'));
  t.is(app.router.state.location.search.explain, '52:54:00:00:00:07');
  const rules = within(app.getByRole('list', {name: 'Rules in order'})).getAllByRole('listitem');
  t.is(rules.length, 3);
  t.is(rules.at(-1)?.dataset['decides'], 'true');
});

test.serial('a key that cannot be read is said', async t => {
  using app = renderConsole('/boot?explain=fail', ...nouns);
  t.regex(
    (await app.findByRole('alert')).textContent,
    /Cannot explain “fail”.*Cannot read the key/,
  );
});

test.serial('boots have their stages and diagnosis; a stranger says what it is', async t => {
  using app = renderConsole('/boot', ...nouns);
  const user = userEvent.setup();
  t.truthy(await app.findByText(/now waiting for the initrd/));
  t.truthy(await app.findByRole('link', {name: 'node-00007'}));
  const rows = [...app.container.querySelectorAll('.boot-row')].map(({textContent}) => textContent);
  t.regex(rows[0] ?? '', /Booting.*node-00007/);
  t.regex(rows[1] ?? '', /Stalled.*52:54:00:99:00:01.*serial SN-99.*What it gets, and why/);
  t.deepEqual(await findBarriers(app.container), []);

  const [first] = app.getAllByRole('button', {name: 'Show the steps of this boot'});
  if (first) await user.click(first);
  t.truthy(await app.findByText('11.4 MiB'));
});

test.serial('the server narrows the boots, and numbers lead to the lists behind them', async t => {
  using app = renderConsole('/boot', ...nouns);
  const user = userEvent.setup();
  const stalled = await app.findByRole('link', {name: '1 stalled in the last 24 hours'});
  t.is(stalled.getAttribute('href'), '/boot?state=stalled&since=24h');
  await user.click(stalled);
  t.truthy(await app.findByText(/the kernel request did not come/));
  await eventually(
    'only the stalled boot',
    () => app.queryByText(/now waiting for the initrd/) === null,
  );
  t.is(bootCalls.at(-1), `listBootSessions ${State.STALLED} since=24h`);

  await user.click(app.getByRole('button', {name: /^Under way/}));
  t.is(app.getByRole('button', {name: /^Under way/}).textContent, 'Under way1');
  t.truthy(await app.findByText(/now waiting for the initrd/));
  await user.selectOptions(app.getByLabelText('Since when'), 'The last 7 days');
  await eventually(
    'boots under way of 7 days',
    () => bootCalls.at(-1) === `listBootSessions ${State.OPEN} since=7d`,
  );
  t.deepEqual(app.router.state.location.search, {state: 'open', since: '7d'});
});

test.serial('what was decided is shown with who and until when, and is taken back', async t => {
  using app = renderConsole('/boot?tab=overrides', ...nouns);
  const user = userEvent.setup();
  t.is((await app.findAllByRole('link', {name: 'node-00007'})).length, 2);
  const row = app.getByText(/All boots: the local disk/).closest('li');
  t.regex(row?.textContent ?? '', /node-00007.*user:ada/);
  t.regex(
    app.getByText(/Next boot: the local disk/).closest('li')?.textContent ?? '',
    /a boot has it, over in/,
  );
  t.deepEqual(await findBarriers(app.container), []);
  await user.click(app.getByRole('button', {name: 'Take the boot entry back'}));
  t.truthy(await app.findByText('The boot entry is taken back'));
  t.true(bootCalls.includes('clearBootOverride entry'));

  await user.click(app.getByRole('button', {name: 'The next boot'}));
  await eventually(
    'only the next boot',
    () => app.queryByText(/All boots: the local disk/) === null,
  );
  t.truthy(app.getByText(/Next boot: the local disk/));
});

test.serial('what machines would boot is a list, and one of it is explained', async t => {
  using app = renderConsole('/boot?tab=decisions', ...nouns);
  const grid = within(await app.findByRole('grid', {name: 'What machines would boot'}));
  t.truthy(await grid.findByRole('link', {name: 'node-00007'}));
  t.truthy(grid.getByText('An operator decided this one boot'));
  t.truthy(grid.getByText(imageId.slice(0, 12)));
  t.deepEqual(await findBarriers(app.container), []);
});

test.serial('a filter that the server refuses is said', async t => {
  using app = renderConsole('/boot?tab=decisions&filter=broken', ...nouns);
  t.regex((await app.findByRole('alert')).textContent, /Cannot use this filter.*it ends too early/);
});

test.serial('the next boot is decided in a dialog that says the limits', async t => {
  using app = renderConsole('/boot?explain=node-00007', ...nouns);
  const user = userEvent.setup();
  await user.click(await app.findByRole('button', {name: 'Decide its next boot …'}));
  const dialog = await app.findByRole('dialog');
  await user.selectOptions(within(dialog).getByLabelText('It shall'), 'Boot the local disk');
  t.truthy(within(dialog).getByText(/Waits 24 hours for a boot; then over 10 minutes/));
  await user.click(within(dialog).getByRole('button', {name: 'Decide'}));
  t.truthy(await app.findByText(/An operator decided this one boot/));
  t.true(bootCalls.includes('setBootOverride 3 once'));
});

test.serial('boot profiles name their group', async t => {
  using app = renderConsole('/boot?tab=profiles', ...nouns);
  t.truthy(await app.findByText('ttyS0,115200'));
  t.is(app.getByRole('link', {name: 'web-servers'}).getAttribute('href'), '/groups?group=g');
});
