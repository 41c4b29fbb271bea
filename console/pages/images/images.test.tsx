import test from 'ava';
import {findBarriers} from '../../mock/axe.ts';
import {addBoot, bootCalls} from '../../mock/boot.ts';
import {addEvents} from '../../mock/events.ts';
import {addImageTests, imageTestId} from '../../mock/image-tests.ts';
import {addImages, imageId} from '../../mock/images.ts';
import {addMachines} from '../../mock/machines.ts';
import {renderConsole} from '../../mock/render.tsx';
import {addSessions} from '../../mock/sessions.ts';

const {userEvent} = await import('@testing-library/user-event');
const {within} = await import('@testing-library/react');
const nouns = [addSessions, addMachines, addImages, addEvents, addImageTests] as const;

test.serial('the list shows images with their size and boot tests, by kind', async t => {
  using app = renderConsole('/images', ...nouns);
  const user = userEvent.setup();
  const grid = await app.findByRole('grid', {name: 'Images'});
  t.truthy(await within(grid).findByRole('link', {name: imageId.slice(0, 12)}));
  t.truthy(within(grid).getByText('240 MiB'));
  t.truthy(within(grid).getByText('UEFI'));
  t.deepEqual(await findBarriers(app.container), []);

  await user.click(app.getByRole('button', {name: 'Rescue'}));
  t.truthy(await app.findByRole('heading', {name: 'There is no image of this kind'}));
});

test.serial('collecting says first what would go, and takes a typed word', async t => {
  using app = renderConsole('/images', ...nouns);
  const user = userEvent.setup();
  await user.click(await app.findByRole('button', {name: 'Collect unused …'}));
  const dialog = await app.findByRole('dialog');
  t.truthy(await within(dialog).findByText('1 GiB'));
  const remove = within(dialog).getByRole('button', {name: 'Remove 1 image'});
  await user.click(remove);
  t.is(app.queryByText(/are free/), null);

  await user.type(within(dialog).getByRole('textbox'), 'collect');
  await user.click(remove);
  t.truthy(await app.findByText('Removed 1 image: 512 MiB are free'));
});

test.serial('an image shows its digests whole, its files and who desires it', async t => {
  using app = renderConsole(`/images/${imageId}`, ...nouns, addBoot);
  const user = userEvent.setup();
  t.truthy(await app.findByText(imageId));
  const file = app.getByRole('link', {name: 'base.squashfs'});
  t.is(file.getAttribute('href'), `/blobs/sha256/${'e'.repeat(64)}`);
  t.truthy(app.getByText(/the agent answered after 14 s/));
  t.deepEqual(await findBarriers(app.container), []);

  await user.click(app.getByRole('button', {name: /^Run it/}));
  t.is(app.router.state.location.search.machines, 'booted');
});

test.serial('an image says for what it was tested, and leads to each test', async t => {
  using app = renderConsole(`/images/${imageId}`, ...nouns, addBoot);
  const link = await app.findByRole('link', {name: 'Services sshd.service and 1 more, BIOS'});
  t.truthy(app.getByRole('link', {name: 'Failed 1'}));
  t.truthy(app.getByRole('link', {name: 'All 3'}));
  await userEvent.click(link);
  t.truthy(await app.findByText('The image did not pass'));
  t.is(app.router.state.location.search.test, imageTestId(2));
});

test.serial('the way back to an image is a decision for one machine', async t => {
  using app = renderConsole(`/images/${imageId}`, ...nouns, addBoot);
  const user = userEvent.setup();
  const [first] = await app.findAllByRole('button', {name: 'Boot this …'});
  if (!first) throw new Error('No machine can go back');
  await user.click(first);
  const dialog = await app.findByRole('dialog', {name: /shall node-00000 boot/});
  await user.selectOptions(within(dialog).getByLabelText('For'), 'always');
  await user.click(within(dialog).getByRole('button', {name: 'Decide'}));
  t.truthy(await app.findByText(/node-00000: Boot an image/));
  t.deepEqual(bootCalls, ['setBootOverride 2 always']);

  await user.click(app.getByRole('button', {name: 'Undo'}));
  await app.findByRole('button', {name: /^Run it/});
  t.deepEqual(bootCalls, ['setBootOverride 2 always', 'clearBootOverride entry']);
});

test.serial('an image that is gone says why', async t => {
  using app = renderConsole(`/images/${'0'.repeat(64)}`, ...nouns);
  t.truthy(await app.findByRole('heading', {name: 'There is no such image'}));
});
