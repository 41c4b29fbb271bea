import test from 'ava';
import {findBarriers} from '../../mock/axe.ts';
import {addMachines} from '../../mock/machines.ts';
import {addUsers} from '../../mock/people.ts';
import {renderConsole} from '../../mock/render.tsx';
import {addSessions} from '../../mock/sessions.ts';

const {userEvent} = await import('@testing-library/user-event');

test.serial('somebody who signs in lands where they wanted to go', async t => {
  using app = renderConsole('/sign-in?next=%2Fgroups');
  const user = userEvent.setup();
  await user.type(await app.findByLabelText('User name'), 'ada');
  await user.type(app.getByLabelText('Password'), 'right password');
  await user.click(app.getByRole('button', {name: 'Sign in'}));

  t.truthy(await app.findByRole('heading', {name: 'Groups', level: 1}));
  t.is(app.router.state.location.pathname, '/groups');
});

test.serial('a wrong password is said at the field', async t => {
  using app = renderConsole('/sign-in');
  const user = userEvent.setup();
  await user.type(await app.findByLabelText('User name'), 'ada');
  await user.type(app.getByLabelText('Password'), 'wrong');
  await user.click(app.getByRole('button', {name: 'Sign in'}));

  t.truthy(await app.findByText('User name or password is wrong'));
  t.is(app.getByLabelText('Password').getAttribute('aria-invalid'), 'true');
});

const code = 'muster_reset_0123456789abcdef';

test.serial('a code in the link sets a password, and whoever it names is inside', async t => {
  using app = renderConsole(`/reset?user=ada#${code}`, addSessions, addUsers, addMachines);
  const user = userEvent.setup();
  t.truthy(await app.findByDisplayValue(code));
  await user.type(app.getByLabelText('New password'), 'short');
  await user.click(app.getByRole('button', {name: 'Set the password and sign in'}));
  t.truthy(await app.findByText('5 more characters are needed'));
  t.deepEqual(await findBarriers(), []);

  await user.type(app.getByLabelText('New password'), ' but longer');
  await user.click(app.getByRole('button', {name: 'Set the password and sign in'}));
  t.truthy(await app.findByRole('heading', {name: 'Overview', level: 1}));
});

test.serial('a code that is typed leads to the sign-in page', async t => {
  using app = renderConsole('/sign-in', addSessions, addUsers);
  const user = userEvent.setup();
  await user.click(await app.findByRole('link', {name: 'enter it'}));
  await user.type(await app.findByLabelText('Code'), ` ${code} `);
  await user.type(app.getByLabelText('New password'), 'a long enough one');
  await user.click(app.getByRole('button', {name: 'Set the password'}));
  t.truthy(await app.findByRole('heading', {name: 'The password is set'}));
  await user.click(app.getByRole('link', {name: 'Sign in'}));
  t.truthy(await app.findByRole('heading', {name: 'Sign in'}));
});

test.serial('a code that is over says what to do, and nothing about roles', async t => {
  using app = renderConsole('/reset#muster_reset_that_was_used', addSessions, addUsers);
  const user = userEvent.setup();
  await user.type(await app.findByLabelText('New password'), 'a long enough one');
  await user.click(app.getByRole('button', {name: 'Set the password'}));
  const alert = await app.findByRole('alert');
  t.regex(alert.textContent, /ask an administrator for a new one$/);
});
