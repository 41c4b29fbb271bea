import {
  ImageTest_TestType as TestType,
  type CreateImageTestRequest,
} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {BootTest_Firmware as Firmware} from '@muster/proto/gen/muster/v1/images_pb.ts';
import test from 'ava';
import {findBarriers} from '../../mock/axe.ts';
import {addBuilds} from '../../mock/builds.ts';
import {addEvents} from '../../mock/events.ts';
import {addImageTests, createdTests, imageTestId} from '../../mock/image-tests.ts';
import {addImages, imageId} from '../../mock/images.ts';
import {addMachines} from '../../mock/machines.ts';
import {renderConsole} from '../../mock/render.tsx';
import {addServices} from '../../mock/services.ts';
import {addSessions} from '../../mock/sessions.ts';

const {userEvent} = await import('@testing-library/user-event');
const {within} = await import('@testing-library/react');

const nouns = [addSessions, addMachines, addEvents, addImages, addBuilds, addServices] as const;
const open = (search = '') => renderConsole(`/image-tests${search}`, ...nouns, addImageTests);
const lastCreated = (): CreateImageTestRequest | undefined => createdTests.at(-1);

test.serial('the list shows tests with what came of them, by result and kind', async t => {
  using app = open();
  const grid = within(await app.findByRole('grid', {name: 'Image tests'}));
  t.truthy(await grid.findByRole('link', {name: 'Services sshd.service and 1 more, BIOS'}));
  t.truthy(grid.getByText('Came to: network up'));
  t.truthy(grid.getByText('unit nginx.service is failed'));
  t.truthy(grid.getByText('a gate'));
  t.deepEqual(await findBarriers(app.container), []);

  await userEvent.click(app.getByRole('button', {name: 'Passed'}));
  t.is(app.router.state.location.search.state, 'passed');
  t.truthy(await app.findByRole('link', {name: 'Hello, UEFI'}));
  await userEvent.selectOptions(app.getByLabelText('Kind of test'), 'script');
  t.truthy(await app.findByRole('heading', {name: 'No test is like that'}));
});

test.serial('a list that fails says why and what to do', async t => {
  using app = open('?machine=fail');
  const alert = await app.findByRole('alert');
  t.regex(alert.textContent, /Cannot list the image tests.*The database is away/);
  t.truthy(within(alert).getByRole('button', {name: 'Try again'}));
});

test.serial('a failed test shows each check, what to do, its screen and its console', async t => {
  using app = open(`?test=${imageTestId(2)}`);
  t.truthy(await app.findByText('The image did not pass'));
  t.truthy(app.getByText(/Correct the unit in the image's configuration/));
  const checks = within(app.getByRole('list', {name: 'Checks with BIOS'})).getAllByRole('listitem');
  t.regex(checks[0]?.textContent ?? '', /Passed.*unit sshd.service.*800 ms/);
  t.regex(checks[1]?.textContent ?? '', /Failed.*unit nginx.service.*ssl_certificate/);

  const screen = await app.findByRole('img', {name: /^Screen of the virtual machine/});
  t.regex(screen.getAttribute('src') ?? '', /^blob:/);
  const download = app
    .getAllByRole('link', {name: 'Download'})
    .map(link => link.getAttribute('href'));
  t.deepEqual(download, [`/blobs/sha256/${'9'.repeat(64)}`]);

  const log = await app.findByRole('region', {name: /^Serial console of test/});
  t.is((await within(log).findByText('MUSTER network up')).className, 'ansi-green');
  t.deepEqual(await findBarriers(app.container), []);
});

test.serial('the serial console as a screen: what was written over is gone', async t => {
  using app = open(`?test=${imageTestId(2)}`);
  const list = await app.findByRole('region', {name: 'Serial console of test 00000000'});
  t.truthy(await within(list).findByText('MUSTER network up'));
  const form = within(app.getByRole('group', {name: 'Form of the log'}));
  t.is(form.getByRole('button', {name: 'Lines'}).getAttribute('aria-pressed'), 'true');
  form.getByRole('button', {name: 'Terminal'}).focus();
  await userEvent.keyboard('{Enter}');
  t.is(app.router.state.location.search.log, 'terminal');

  const screen = await app.findByRole('region', {name: /as a screen$/});
  t.is((await within(screen).findByText('FAILED')).className, 'ansi-red');
  t.is(within(screen).getByText('MUSTER network up').className, 'ansi-green');
  t.false(screen.textContent.includes('Starting'));
  t.is(app.container.querySelectorAll('style').length, 0);
  t.deepEqual(await findBarriers(app.container), []);

  await userEvent.click(form.getByRole('button', {name: 'Lines'}));
  t.is(app.router.state.location.search.log, undefined);
  const lines = await app.findByRole('region', {name: 'Serial console of test 00000000'});
  t.is((await within(lines).findByText('FAILED')).className, 'ansi-red');
});

test.serial('a test that runs says which firmware is under way, and is cancelled', async t => {
  using app = open(`?test=${imageTestId(1)}`);
  const list = await app.findByText('has come to: network up');
  t.regex(list.closest('li')?.textContent ?? '', /Running.*UEFI/);
  await userEvent.click(app.getByRole('button', {name: 'Cancel the test'}));
  t.truthy(await app.findByRole('button', {name: 'Is being cancelled'}));
});

test.serial('running a test again leads to the new one', async t => {
  using app = open(`?test=${imageTestId(2)}`);
  await userEvent.click(await app.findByRole('button', {name: 'Run it again'}));
  t.truthy(await app.findByRole('button', {name: 'Cancel the test'}));
  t.is(app.router.state.location.search.test, imageTestId(4));
  t.truthy(app.getByRole('heading', {name: 'Services sshd.service and 1 more, BIOS'}));
});

test.serial('a test of services names its units, and is sent only when they are some', async t => {
  using app = open(`?mode=new&image=${imageId}`);
  await userEvent.click(await app.findByRole('radio', {name: /Services/}));
  await userEvent.type(app.getByLabelText('Units that have to be active'), 'sshd');
  await userEvent.click(app.getByRole('button', {name: 'Start the test'}));
  t.truthy(await app.findByText(/“sshd” is no unit/));
  t.is(lastCreated(), undefined);
  t.deepEqual(await findBarriers(app.container), []);

  await userEvent.type(
    app.getByLabelText('Units that have to be active'),
    '.service nginx.service',
  );
  await userEvent.click(app.getByRole('button', {name: 'Start the test'}));
  t.truthy(await app.findByRole('button', {name: 'Cancel the test'}));
  t.like(lastCreated(), {imageId, testType: TestType.SERVICE, firmwares: [Firmware.BIOS]});
  t.deepEqual(lastCreated()?.plan?.units, ['sshd.service', 'nginx.service']);
});

test.serial('a boot is tested with both firmwares, and a refusal is shown', async t => {
  using app = open('?mode=new');
  const image = await app.findByRole('combobox', {name: 'Image'});
  await userEvent.type(image, '/images/away');
  await userEvent.click(app.getByRole('button', {name: 'Start the test'}));
  t.regex((await app.findByRole('alert')).textContent, /Cannot ask for the test.*put it into/);

  await userEvent.clear(image);
  await userEvent.type(image, 'machine');
  await userEvent.click(await app.findByRole('option', {name: /ab12ab12ab12/}));
  await userEvent.click(app.getByRole('button', {name: 'Start the test'}));
  t.truthy(await app.findByRole('button', {name: 'Cancel the test'}));
  t.like(lastCreated(), {imageId, firmwares: [Firmware.BIOS, Firmware.UEFI]});
});

test.serial('a test that there is not leads back', async t => {
  using app = open('?test=nothing');
  t.truthy(await app.findByRole('heading', {name: 'There is no such test'}));
  t.truthy(app.getByRole('link', {name: 'To the image tests'}));
});
