import test from 'ava';
import {findBarriers} from '../../mock/axe.ts';
import {addBoot, bootCalls} from '../../mock/boot.ts';
import {addImages} from '../../mock/images.ts';
import {addMachines} from '../../mock/machines.ts';
import {renderConsole} from '../../mock/render.tsx';
import {addSessions} from '../../mock/sessions.ts';

const {userEvent} = await import('@testing-library/user-event');
const {within} = await import('@testing-library/react');
const nouns = [addSessions, addMachines, addImages, addBoot] as const;

const cardOf = (heading: HTMLElement): HTMLElement => {
  const card = heading.closest('section');
  if (!card) throw new Error('The heading is in no card');
  return card;
};

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

test.serial(
  'boots in progress have their stages and diagnosis; those that stall come first',
  async t => {
    using app = renderConsole('/boot', ...nouns);
    const user = userEvent.setup();
    const card = cardOf(await app.findByRole('heading', {name: 'Boots in progress'}));
    t.truthy(await within(card).findByText(/now waiting for the initrd/));
    t.truthy(within(card).getByText('1 boot under way, 1 stalled'));
    const rows = [...card.querySelectorAll('.boot-row')];
    t.regex(rows[0]?.textContent ?? '', /Stalled.*52:54:00:99:00:01/);
    t.deepEqual(await findBarriers(app.container), []);

    await user.click(within(card).getByRole('button', {name: 'Show the steps of this boot'}));
    t.truthy(await within(card).findByText('11.4 MiB'));
  },
);

test.serial('a boot entry is shown with who made it, and is taken back', async t => {
  using app = renderConsole('/boot', ...nouns);
  const user = userEvent.setup();
  const card = cardOf(
    await app.findByRole('heading', {name: 'Boot entries and one-time overrides'}),
  );
  t.truthy(await within(card).findByText(/All boots: the local disk/));
  await user.click(within(card).getByRole('button', {name: 'Take the boot entry back'}));
  t.truthy(await app.findByText('The boot entry is taken back'));
  t.deepEqual(bootCalls, ['clearBootOverride entry']);
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
  t.deepEqual(bootCalls, ['setBootOverride 3 once']);
});

test.serial('boot profiles name their group', async t => {
  using app = renderConsole('/boot', ...nouns);
  t.truthy(await app.findByText('ttyS0,115200'));
  t.is(app.getByRole('link', {name: 'web-servers'}).getAttribute('href'), '/groups?group=g');
});
