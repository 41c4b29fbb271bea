import test from 'ava';
import {findBarriers} from '../../mock/axe.ts';
import {addEvents} from '../../mock/events.ts';
import {mockMachine} from '../../mock/machines.ts';
import {addUsers, signedInAs} from '../../mock/people.ts';
import {renderConsole} from '../../mock/render.tsx';
import type {MockNoun} from '../../mock/transport.ts';
import {addWorkspaces} from '../../mock/workspaces.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';

const {userEvent} = await import('@testing-library/user-event');
const {within} = await import('@testing-library/react');

/** Two are free; the workspace has none that are listed. */
const addFree: MockNoun = router => {
  router.service(MachineService, {
    listMachines: ({filter}) => ({
      machines: filter.includes('workspace = ""') ? [mockMachine(3), mockMachine(9)] : [],
    }),
  });
};
const open = (address: string, role: 'admin' | 'viewer' = 'admin') =>
  renderConsole(address, signedInAs(role), addUsers, addWorkspaces, addFree, addEvents);

test.serial('the list tells how much of each quota is used', async t => {
  using app = open('/workspaces');
  t.truthy(await app.findByText('2 of 3 machines'));
  t.is(app.getByRole('meter', {name: 'Quota of staging'}).getAttribute('aria-valuenow'), '2');
  t.deepEqual(await findBarriers(), []);
});

test.serial('of two machines the quota takes one, and says why not the other', async t => {
  using app = open('/workspaces?workspace=staging');
  const user = userEvent.setup();
  await user.click(await app.findByRole('button', {name: 'Assign machines'}));
  await user.click(await app.findByRole('checkbox', {name: /node-00003/}));
  await user.click(app.getByRole('checkbox', {name: /node-00009/}));
  t.truthy(app.getByText(/The quota has room for 1 machine/));
  await user.click(app.getByRole('button', {name: 'Assign 2 machines'}));
  t.truthy(await app.findByText(/quota of 3 machines is used up/));
  const results = within(app.getByRole('list', {name: 'What became of them'}));
  t.deepEqual(
    results.getAllByRole('listitem').map(item => item.className),
    ['tone-ok', 'tone-bad'],
  );
});

test.serial('a role is taken away and given back by undo', async t => {
  using app = open('/workspaces?workspace=staging');
  const user = userEvent.setup();
  await user.click(await app.findByRole('button', {name: 'Take the role of erin away'}));
  t.truthy(await app.findByText('erin has no role in staging any more'));
  t.truthy(await app.findByText(/Nobody has a role here yet/));
  await user.click(app.getByRole('button', {name: 'Undo'}));
  t.truthy(await app.findByRole('button', {name: 'Take the role of erin away'}));
});

test.serial('a user that is not there is said at the form', async t => {
  using app = open('/workspaces?workspace=staging');
  const user = userEvent.setup();
  await user.type(await app.findByLabelText('User name'), 'nobody');
  await user.click(app.getByRole('button', {name: 'Give'}));
  t.truthy(await app.findByText('Cannot find user "nobody"'));
  t.deepEqual(await findBarriers(), []);
});

test.serial('a workspace that is not there, and what a viewer may not', async t => {
  {
    using app = open('/workspaces?workspace=gone');
    t.truthy(await app.findByText('There is no workspace “gone”'));
  }
  using app = open('/workspaces?workspace=staging', 'viewer');
  const button = await app.findByRole('button', {name: 'Assign machines'});
  t.regex(button.title, /takes the role operator for the whole site/);
});
