import test from 'ava';
import {renderConsole} from '../../mock/render.tsx';

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
