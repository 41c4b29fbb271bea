import {Image_Kind as Kind} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {Operation_State as State} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import test from 'ava';
import {findBarriers} from '../../mock/axe.ts';
import {addBuilds, buildCalls, buildId} from '../../mock/builds.ts';
import {addEvents} from '../../mock/events.ts';
import {eventually} from '../../mock/eventually.ts';
import {addMachines} from '../../mock/machines.ts';
import {renderConsole} from '../../mock/render.tsx';
import {addSessions} from '../../mock/sessions.ts';

const {userEvent} = await import('@testing-library/user-event');
const {within} = await import('@testing-library/react');
const nouns = [addSessions, addMachines, addEvents, addBuilds] as const;

test.serial('the list shows builds with their machines, and one state of them', async t => {
  using app = renderConsole('/builds', ...nouns);
  const user = userEvent.setup();
  const grid = await app.findByRole('grid', {name: 'Builds'});
  t.truthy(await within(grid).findByText('Running'));
  t.truthy(await within(grid).findByRole('link', {name: 'node-00002'}));
  t.truthy(within(grid).getByText(/taken from the store, not built again/));
  t.deepEqual(await findBarriers(app.container), []);

  await user.click(app.getByRole('button', {name: 'Failed'}));
  t.is(app.router.state.location.search.state, 'failed');
  t.truthy(await within(grid).findByText('Failed'));
  await eventually('only what failed', () => within(grid).queryByText('Running') === null);
});

test.serial('the server narrows the builds by all that the address says', async t => {
  using app = renderConsole('/builds?state=live&kind=machine&template=web&since=24h', ...nouns);
  const user = userEvent.setup();
  const grid = await app.findByRole('grid', {name: 'Builds'});
  t.truthy(await within(grid).findByText('Running'));
  t.is(within(grid).queryByText('Failed'), null);
  t.is(buildCalls.at(-1), `listBuilds ${State.QUEUED},${State.RUNNING} ${Kind.MACHINE} 24h web`);
  await user.click(app.getByRole('button', {name: 'With all templates'}));
  await user.click(app.getByRole('button', {name: 'Registration'}));
  await user.selectOptions(app.getByLabelText('Since when'), 'Any time');
  await user.click(app.getByRole('button', {name: 'All'}));
  await eventually(
    'registration builds of any time',
    () => buildCalls.at(-1) === `listBuilds  ${Kind.REGISTRATION}`,
  );
  t.deepEqual(app.router.state.location.search, {kind: 'registration'});
});

test.serial('a list that fails says why and what to do', async t => {
  using app = renderConsole('/builds?machine=fail', ...nouns);
  const alert = await app.findByRole('alert');
  t.regex(alert.textContent, /Cannot list the builds.*The database is away.*server has logged/);
  t.truthy(within(alert).getByRole('button', {name: 'Try again'}));
});

test.serial('a failed build shows what is wrong, where, its boot test and its log', async t => {
  using app = renderConsole(`/builds/${buildId(2)}`, ...nouns);
  const user = userEvent.setup();
  t.truthy(await app.findByText('Unknown option'));
  const place = app.getByRole('link', {name: 'the machine’s own module, line 3, column 5'});
  t.regex(place.getAttribute('href') ?? '', /\/machines\/.*\/config$/);
  t.truthy(app.getByText('Kernel panic after 9 s'));
  t.truthy(app.getByText('Kernel panic - not syncing'));
  t.truthy(app.getByText('1 min 00 s'));

  const log = await app.findByRole('region', {name: /^Log of build/});
  const red = await within(log).findByText('error:');
  t.is(red.className, 'ansi-red');
  t.deepEqual(await findBarriers(app.container), []);

  await user.type(app.getByLabelText('Find in the log'), 'option');
  t.truthy(await app.findByText('1 of 1'));
  t.is(log.querySelector('mark')?.textContent, 'option');

  await user.click(within(log).getByRole('button', {name: 'Line 2'}));
  t.is(app.router.state.location.search.lines, '2');
});

test.serial('a build is cancelled after a question, and says so', async t => {
  using app = renderConsole(`/builds/${buildId(1)}`, ...nouns);
  const user = userEvent.setup();
  await user.click(await app.findByRole('button', {name: 'Cancel the build'}));
  const dialog = await app.findByRole('dialog');
  await user.click(within(dialog).getByRole('button', {name: 'Cancel the build'}));
  t.truthy(await app.findByRole('button', {name: 'Is being cancelled'}));
});

test.serial('building again leads to the new build', async t => {
  using app = renderConsole(`/builds/${buildId(2)}`, ...nouns);
  const user = userEvent.setup();
  await user.click(await app.findByRole('button', {name: 'Build again'}));
  t.truthy(await app.findByRole('button', {name: 'Cancel the build'}));
  t.is(app.router.state.location.pathname, `/builds/${buildId(4)}`);
});

test.serial('a build that there is not leads back', async t => {
  using app = renderConsole('/builds/nothing', ...nouns);
  t.truthy(await app.findByRole('heading', {name: 'There is no such build'}));
  t.truthy(app.getByRole('link', {name: 'To the builds'}));
});
