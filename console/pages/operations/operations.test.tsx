import {Operation_State as State} from '@muster/proto/gen/muster/v1/operations_pb.ts';
import test from 'ava';
import {findBarriers} from '../../mock/axe.ts';
import {addEvents} from '../../mock/events.ts';
import {addMachines} from '../../mock/machines.ts';
import {addOperations, operationCalls, rolloutId} from '../../mock/operations.ts';
import {renderConsole} from '../../mock/render.tsx';
import {addSessions} from '../../mock/sessions.ts';

const {userEvent} = await import('@testing-library/user-event');
const {within} = await import('@testing-library/react');
const nouns = [addSessions, addMachines, addEvents, addOperations] as const;

test.serial('the list shows operations, and roll-outs that wait with their reason', async t => {
  using app = renderConsole('/operations', ...nouns);
  const user = userEvent.setup();
  t.truthy(await app.findByText(/has halted: 2 machines failed/));
  const grid = await app.findByRole('grid', {name: 'Operations'});
  t.truthy(await within(grid).findByRole('link', {name: 'Roll-out: 5 machines'}));
  t.truthy(within(grid).getByText('2 failed, 1 succeeded, 2 queued'));
  t.deepEqual(await findBarriers(app.container), []);

  await user.click(app.getByRole('button', {name: 'Bulk'}));
  t.is(app.router.state.location.search.kind, 'bulk');
  t.truthy(await app.findByRole('heading', {name: 'No operation is like that'}));
  await user.click(app.getByRole('button', {name: 'Roll-outs'}));
  await user.click(app.getByRole('button', {name: 'Under way'}));
  t.truthy(await within(grid).findByRole('link', {name: 'Roll-out: 5 machines'}));
  t.is(operationCalls.at(-1), `listOperations rollout ${State.QUEUED},${State.RUNNING}`);
});

test.serial('a list that fails says why', async t => {
  using app = renderConsole('/operations?machine=fail', ...nouns);
  t.truthy(await app.findByText('Cannot list the operations'));
  t.truthy(app.getByText(/The database is away.*The server has logged/));
});

test.serial('a halted roll-out shows the reason, failures first and each wave', async t => {
  using app = renderConsole(`/operations/${rolloutId}`, ...nouns);
  const user = userEvent.setup();
  t.truthy(await app.findByText(/^Halted: 2 machines failed, more than the 0/));
  const failures = (await app.findByRole('heading', {name: '2 machines failed'})).closest(
    'section',
  );
  if (!failures) throw new Error('No card of failures');
  // One reason once, with both machines.
  t.is((await within(failures).findAllByText(/did not come back/)).length, 1);
  t.truthy(within(failures).getByRole('link', {name: 'node-3'}));
  t.truthy(app.getByRole('img', {name: 'Wave 2: 2 failed'}));
  t.deepEqual(await findBarriers(app.container), []);

  const grid = app.getByRole('grid', {name: 'Machines of the operation'});
  t.truthy(await within(grid).findByRole('link', {name: 'node-1'}));
  await user.click(app.getByRole('link', {name: 'Wave 3'}));
  t.truthy(await within(grid).findByRole('link', {name: 'node-5'}));
  t.is(within(grid).queryByRole('link', {name: 'node-1'}), null);
});

test.serial('a roll-out is resumed with another try of what failed', async t => {
  using app = renderConsole(`/operations/${rolloutId}`, ...nouns);
  const user = userEvent.setup();
  await user.click(await app.findByRole('button', {name: 'Resume …'}));
  const dialog = await app.findByRole('dialog');
  await user.click(within(dialog).getByLabelText('Try the 2 machines that failed again first'));
  await user.click(within(dialog).getByRole('button', {name: 'Resume it'}));
  t.truthy(await app.findByText('Rolling out'));
  t.deepEqual(operationCalls, ['resumeRollout retryFailed=true']);
});

test.serial('a cancel that the server refuses is said where it was asked for', async t => {
  using app = renderConsole(`/operations/${rolloutId}`, ...nouns);
  const user = userEvent.setup();
  await user.click(await app.findByRole('button', {name: 'Cancel …'}));
  const dialog = await app.findByRole('dialog');
  t.truthy(within(dialog).getByText(/2 machines that have not begun will not be touched/));
  await user.click(within(dialog).getByRole('button', {name: 'Cancel it'}));
  t.truthy(await within(dialog).findByText(/it is over/));
  t.deepEqual(operationCalls, ['cancelRollout']);
});
