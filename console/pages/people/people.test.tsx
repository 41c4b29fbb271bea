import test from 'ava';
import {findBarriers} from '../../mock/axe.ts';
import {addEvents} from '../../mock/events.ts';
import {addTokens, addUsers, signedInAs} from '../../mock/people.ts';
import {renderConsole} from '../../mock/render.tsx';
import {addWorkspaces} from '../../mock/workspaces.ts';

const {userEvent} = await import('@testing-library/user-event');
const {within} = await import('@testing-library/react');

const nouns = [addUsers, addTokens, addWorkspaces, addEvents] as const;
const open = (address: string) => renderConsole(address, signedInAs('admin'), ...nouns);

test.serial('users are listed with their roles everywhere and in workspaces', async t => {
  using app = open('/people');
  const grid = await app.findByRole('grid', {name: 'Users'});
  t.truthy(await within(grid).findByText('erin'));
  t.truthy(within(grid).getByText('staging: operator'));
  t.truthy(within(grid).getByText('Member'));
  t.deepEqual(await findBarriers(), []);
});

test.serial('whoever is no administrator sees their own account and no users', async t => {
  using app = renderConsole('/people', signedInAs('viewer'), ...nouns);
  t.truthy(await app.findByRole('heading', {name: 'What you may'}));
  t.is(app.queryByRole('link', {name: 'Users'}), null);
  t.deepEqual(await findBarriers(), []);
});

test.serial('a user is made, and a name that is taken is said to be', async t => {
  using app = open('/people');
  const user = userEvent.setup();
  await user.click(await app.findByRole('button', {name: 'New user'}));
  await user.type(app.getByLabelText('User name'), 'taken');
  await user.type(app.getByLabelText('First password'), 'correct horse battery');
  await user.click(app.getByRole('button', {name: 'Make the user'}));
  t.truthy(await app.findByText('Cannot create user "taken": it exists'));

  await user.clear(app.getByLabelText('User name'));
  await user.type(app.getByLabelText('User name'), 'frida');
  await user.click(app.getByRole('button', {name: 'Make the user'}));
  t.truthy(await app.findByRole('heading', {name: 'frida'}));
  t.deepEqual(app.router.state.location.search, {user: 'frida'});
});

test.serial('a short password is refused before it is sent', async t => {
  using app = open('/people');
  const user = userEvent.setup();
  await user.click(await app.findByRole('button', {name: 'New user'}));
  await user.type(app.getByLabelText('User name'), 'frida');
  await user.type(app.getByLabelText('First password'), 'short');
  await user.click(app.getByRole('button', {name: 'Make the user'}));
  t.truthy(await app.findByText('5 more characters are needed'));
});

test.serial('disabling says what it ends, and a code for a password is shown once', async t => {
  using app = open('/people?user=erin');
  const user = userEvent.setup();
  await user.click(await app.findByRole('button', {name: 'Disable'}));
  t.truthy(app.getByText(/All sessions end at once/));
  await user.click(app.getByRole('button', {name: 'Disable erin'}));
  t.truthy(await app.findByRole('button', {name: 'Enable'}));

  await user.click(app.getByRole('button', {name: 'Reset the password'}));
  await user.click(app.getByRole('button', {name: 'Make a code'}));
  t.truthy(await app.findByText('reset-code-of-erin'));
  await user.click(app.getByRole('button', {name: 'I have it'}));
  t.is(app.queryByText('reset-code-of-erin'), null);
});

test.serial('a role is changed; one’s own only after a question', async t => {
  const user = userEvent.setup();
  {
    using app = open('/people?user=erin');
    await user.selectOptions(await app.findByLabelText('Role everywhere'), '2');
    await user.click(app.getByRole('button', {name: 'Save'}));
    t.truthy(await app.findByText('Saved erin'));
    t.truthy(await within(app.getByRole('grid')).findByText('Developer'));
  }
  using app = open('/people?user=ada');
  await user.selectOptions(await app.findByLabelText('Role everywhere'), '1');
  await user.click(app.getByRole('button', {name: 'Save'}));
  t.truthy(app.getByText(/another administrator has to/));
  await user.click(app.getByRole('button', {name: 'Make me viewer'}));
  t.truthy(await app.findByText('Saved ada'));
});

test.serial('one cannot disable oneself', async t => {
  using app = open('/people?user=ada');
  const button = await app.findByRole('button', {name: 'Disable'});
  t.is(button.getAttribute('aria-disabled'), 'true');
  t.regex(button.title, /This is you/);
});

test.serial('a token is shown once, then listed, and can be revoked', async t => {
  using app = open('/people?tab=tokens');
  const user = userEvent.setup();
  await user.click(await app.findByRole('button', {name: 'New token'}));
  await user.type(app.getByLabelText('What it is for'), 'backup');
  await user.click(app.getByRole('button', {name: 'Make the token'}));
  t.truthy(await app.findByText('muster_token_shown_once'));
  await user.click(app.getByRole('button', {name: 'I have it'}));
  t.is(app.queryByText('muster_token_shown_once'), null);
  t.truthy(await app.findByText('backup'));

  await user.click(app.getByRole('button', {name: 'Revoke ci'}));
  const dialog = app.getByRole('dialog');
  await user.click(within(dialog).getByRole('button', {name: 'Revoke ci'}));
  t.truthy(await app.findByText('Revoked'));
  t.deepEqual(await findBarriers(), []);
});

test.serial('a session is ended', async t => {
  using app = open('/people?tab=sessions');
  const user = userEvent.setup();
  t.truthy(await app.findByText('10.0.0.9'));
  await user.click(app.getByRole('button', {name: 'End the session of ada'}));
  t.truthy(await app.findByText('The session has ended'));
  t.is(app.queryByText('10.0.0.9'), null);
});

test.serial('a wrong present password is said where it was typed', async t => {
  using app = open('/people?tab=account');
  const user = userEvent.setup();
  await user.type(await app.findByLabelText('Present password'), 'wrong');
  await user.type(app.getByLabelText('New password'), 'a long enough one');
  await user.click(app.getByRole('button', {name: 'Change the password'}));
  t.truthy(await app.findByText(/the present one is wrong/));
});
