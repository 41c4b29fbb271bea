import test from 'ava';
import {findBarriers} from '../../../mock/axe.ts';
import {addDiscovery} from '../../../mock/discovery.ts';
import {addMachines, mockMachine} from '../../../mock/machines.ts';
import {signedInAs} from '../../../mock/people.ts';
import {renderConsole} from '../../../mock/render.tsx';

const {userEvent} = await import('@testing-library/user-event');
const {within} = await import('@testing-library/react');

const id = mockMachine(3).id ?? '';
const open = (search = '') =>
  renderConsole(`/machines/${id}/split${search}`, signedInAs('admin'), addMachines, addDiscovery);

test.serial('boots tell two boxes apart, and what both would have is shown', async t => {
  using app = open();
  t.truthy(await app.findByText(/fall into 2 parts that have no value in common/));
  const button = app.getByRole('button', {name: 'Split the record …'});
  t.is(button.title, 'Mark what belongs to the other box first');
  const [, other] = app.getAllByRole('button', {name: 'This is the other box'});
  if (other) await userEvent.click(other);
  t.is(app.router.state.location.search.take, '3c:ec:ef:00:17:02,OTHER17');
  t.truthy(await app.findByRole('checkbox', {name: /OTHER17/, checked: true}));

  const made = app.getByRole('heading', {name: 'The new record gets'}).closest('section');
  t.truthy(made && within(made).getByText('OTHER17'));
  t.truthy(made && within(made).getByText('2 boots by these NICs'));
  const kept = app.getByRole('heading', {name: 'node-00003 keeps'}).closest('section');
  t.is(kept && within(kept).queryByText('OTHER17'), null);
  t.deepEqual(await findBarriers(), []);
});

test.serial('splitting says that nothing is interrupted, and leads to the new record', async t => {
  using app = open('?take=OTHER17');
  await userEvent.click(await app.findByRole('button', {name: 'Split the record …'}));
  t.truthy(app.getByText(/a NIC that stays: its agent goes on/));
  await userEvent.click(app.getByRole('button', {name: 'Split the record'}));
  t.truthy(await app.findByText(/Split: this record waits for the other box/));
  t.is(app.router.state.location.pathname, `/machines/${mockMachine(7).id}`);
});

test.serial('when the boot NIC goes, the name is asked for', async t => {
  const mac = mockMachine(3).macAddress ?? '';
  using app = open(`?take=${encodeURIComponent(mac)}`);
  await userEvent.click(await app.findByRole('button', {name: 'Split the record …'}));
  t.truthy(app.getByText(/its agent is logged out at once/));
  const button = app.getByRole('button', {name: 'Split the record'});
  t.is(button.title, 'Type "node-00003" first');
});

test.serial('all of it cannot be taken, and a refusal of the server is shown', async t => {
  using app = open('?take=FAIL');
  await userEvent.click(await app.findByRole('button', {name: 'Split the record …'}));
  await userEvent.click(app.getByRole('button', {name: 'Split the record'}));
  t.regex((await app.findByRole('alert')).textContent, /wait until that is done/);
  await userEvent.click(app.getByRole('button', {name: 'Keep things as they are'}));

  for (const box of app.getAllByRole('checkbox', {checked: false})) await userEvent.click(box);
  t.is(
    app.getByRole('button', {name: 'Split the record …'}).title,
    'Something has to stay: take a mark away',
  );
});
