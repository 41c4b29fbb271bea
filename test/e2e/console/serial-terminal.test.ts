import test from 'ava';
import type {Page} from 'playwright-core';
import {
  axeFindings,
  openWindow,
  phone,
  screenshot,
  signIn,
  startChromium,
} from '../../helpers/chromium.ts';
import {administrator, startRunningServer} from '../../helpers/running-server.ts';
import {startSerialTest} from '../../helpers/serial-test.ts';

const stack = new AsyncDisposableStack();
const setUp = (async () => {
  const server = stack.use(await startRunningServer());
  const browser = stack.use(await startChromium());
  return {server, browser};
})();
test.after.always(() => stack.disposeAsync());

const esc = '\u001b';
const at = (row: number, column: number, text: string) => `${esc}[${row};${column}H${text}`;
const countdown = (seconds: number) =>
  at(23, 4, `The highlighted entry will be executed automatically in ${seconds}s.  `);
const edge = '─'.repeat(76);

/** As SeaBIOS and GRUB write to a serial line: no line has an end. */
const bootMenu = [
  `${esc}[?7l${esc}[2J${esc}[0mSeaBIOS (version 1.16.2)\r\n`,
  'iPXE (http://ipxe.org) 00:02.0 C000 PCI2.10\r\n',
  `Booting from Hard Disk...\r\n${esc}[?7h${esc}[?25l${esc}[0;37;40m${esc}[2J`,
  at(2, 30, 'GNU GRUB  version 2.12'),
  at(4, 2, `┌${edge}┐`),
  ...Array.from({length: 12}, (_, row) => at(5 + row, 2, '│') + at(5 + row, 79, '│')),
  at(17, 2, `└${edge}┘`),
  at(5, 3, `${esc}[0;30;47m*Debian GNU/Linux${' '.repeat(59)}${esc}[0;37;40m`),
  at(6, 4, 'Advanced options for Debian GNU/Linux'),
  at(19, 6, 'Use the ▲ and ▼ keys to select which entry is highlighted.'),
  countdown(5),
].join('');

const ok = (unit: string) => `[${esc}[0;32m  OK  ${esc}[0m] ${unit}\r\n`;
const booted = [
  `${esc}[0m${esc}[?25h${esc}[2J${esc}[H[    0.000000] Linux version 6.12.43+deb13-amd64\r\n`,
  ...Array.from({length: 30}, (_, line) => `[    0.0${line + 10}] ACPI: table ${line}\r\n`),
  ok(`Started ${esc}[0;1;39msystemd-journald.service${esc}[0m - Journal Service.`),
  ok('Reached target network.target - Network.'),
  `\r[${esc}[0;31m*     ${esc}[0m] A start job is running for nginx (1s / no limit)${esc}[K`,
  `\r[${esc}[0;1;31m*${esc}[0;31m*    ${esc}[0m] A start job is running for nginx (2s / no limit)${esc}[K`,
  `\r${esc}[K[${esc}[0;1;31mFAILED${esc}[0m] Failed to start nginx.service - A web server.\r\n`,
  `See '${esc}[38;2;90;160;255msystemctl status nginx.service${esc}[0m' for details.\r\n`,
  'debian login: ',
].join('');

const rowsOf = (page: Page): Promise<readonly string[]> =>
  page.evaluate(`[...document.querySelectorAll('.term-row')].map(row => row.textContent)`);
const screenOf = (page: Page) => page.getByRole('region', {name: /as a screen$/});
const isTerminal = (url: string) => /\/assets\/TerminalView-/.test(url);

/** Where a letter stands at the right of its row, in pixels. */
const rightEdgesOf = (page: Page, letters: string): Promise<readonly number[]> =>
  page.evaluate(`[...document.querySelectorAll('.term-row')]
    .map(row => [...row.querySelectorAll('span')].findLast(span => span.textContent.trim() !== ''))
    .filter(span => span && '${letters}'.includes(span.textContent.at(-1)))
    .map(span => span.getBoundingClientRect().right)`);

test.serial('a serial console as a screen: live, by keyboard, and nothing is refused', async t => {
  const {server, browser} = await setUp;
  await using serial = await startSerialTest(server);
  await using window = await openWindow(browser, {url: server.url});
  const {page, problems} = window;
  const asked: string[] = [];
  page.on('request', request => asked.push(request.url()));
  await signIn(page, administrator);
  problems.length = 0;
  serial.write(bootMenu);
  await page.goto(`/image-tests?test=${serial.id}`);
  const lines = page.getByRole('region', {name: /^Serial console of test [0-9a-f]{8}$/});
  await lines.getByText('SeaBIOS (version 1.16.2)').waitFor();
  t.deepEqual(asked.filter(isTerminal), []);

  await page.getByRole('button', {name: 'Terminal'}).focus();
  await page.keyboard.press('Enter');
  await screenOf(page).getByText('in 5s.').waitFor();
  t.is(new URL(page.url()).searchParams.get('log'), 'terminal');
  t.is(asked.filter(isTerminal).length, 1);
  t.is(await page.evaluate('document.activeElement.textContent'), 'Terminal');
  const menu = await rowsOf(page);
  t.is(menu.length, 25);
  t.is(menu[1]?.trim(), 'GNU GRUB  version 2.12');
  t.is(menu[3], ` ┌${edge}┐`);
  t.is(menu[4]?.trimEnd(), ` │*Debian GNU/Linux${' '.repeat(59)}│`);
  t.false(menu.join('').includes('SeaBIOS'));
  // The frame is a frame: its right edge is one line, corners and all.
  const edges = await rightEdgesOf(page, '┐│┘');
  t.is(edges.length, 14);
  t.true(Math.max(...edges) - Math.min(...edges) < 0.2, edges.join(' '));
  t.deepEqual(await axeFindings(page), []);
  await screenshot(page, 'terminal-menu');

  serial.write(countdown(4));
  await screenOf(page).getByText('in 4s.').waitFor();
  t.false((await rowsOf(page)).join('').includes('in 5s.'));

  serial.write(booted);
  await screenOf(page).getByText('debian login:').waitFor();
  const rows = (await rowsOf(page)).map(row => row.trimEnd());
  t.true(rows.includes('[FAILED] Failed to start nginx.service - A web server.'));
  t.false(rows.some(row => row.includes('A start job is running')));
  await page.getByText('FAILED', {exact: true}).scrollIntoViewIfNeeded();
  await page.getByText('systemctl status nginx.service').click({clickCount: 3});
  t.regex(
    await page.evaluate('getSelection().toString()'),
    /^See 'systemctl status nginx.service'/,
  );
  await screenshot(page, 'terminal-booted');

  // What has left the screen, by keyboard, and back.
  await screenOf(page).focus();
  await page.keyboard.press('Home');
  await page.getByText('Linux version 6.12.43').waitFor();
  await page.getByRole('button', {name: 'To the screen'}).waitFor();
  t.deepEqual(await axeFindings(page), []);
  await screenshot(page, 'terminal-history');
  await page.getByRole('button', {name: 'To the screen'}).click();
  await page.getByRole('button', {name: 'To the screen'}).waitFor({state: 'detached'});

  await serial.pass();
  await page.getByText('The test is over').waitFor();
  await page.reload();
  await screenOf(page).getByText('debian login:').waitFor();
  t.is(await page.evaluate(`document.querySelectorAll('style').length`), 0);

  // The list has the same log: of what was written over the last writing, without what moves the cursor.
  await page.getByRole('button', {name: 'Lines'}).click();
  await lines.getByText('Failed to start nginx.service - A web server.').waitFor();
  t.is(await lines.getByText(/A start job is running|\[0;/).count(), 0);
  await screenshot(page, 'terminal-lines');
  t.deepEqual(problems, []);
});

test.serial('its colours are those of the console, dark and on a phone, too', async t => {
  const {server, browser} = await setUp;
  await using serial = await startSerialTest(server);
  serial.write(bootMenu + countdown(3) + booted);
  await serial.pass();
  const address = `/image-tests?test=${serial.id}&log=terminal`;
  for (const [name, options] of [
    ['light', {}],
    ['dark', {colorScheme: 'dark'}],
    ['phone', {viewport: phone}],
  ] as const) {
    await using window = await openWindow(browser, {url: server.url, ...options});
    const {page, problems} = window;
    await signIn(page, administrator);
    problems.length = 0;
    await page.goto(address);
    await screenOf(page).getByText('debian login:').waitFor();
    t.is(
      await page.evaluate(
        `getComputedStyle([...document.querySelectorAll('.term-row span')].find(span => span.textContent === 'FAILED')).color`,
      ),
      name === 'dark' ? 'rgb(255, 154, 144)' : 'rgb(179, 38, 30)',
    );
    // 80 columns, 25 rows of 15 px and their margin; a phone scrolls it sideways, and nothing else.
    t.is(await page.evaluate(`document.querySelector('.term').offsetHeight`), 391);
    t.false(await page.evaluate('document.documentElement.scrollWidth > innerWidth'));
    t.deepEqual(await axeFindings(page), [], name);
    await page.evaluate(`document.querySelector('.term').scrollIntoView({block: 'end'})`);
    await screenshot(page, `terminal-${name}`);
    t.deepEqual(problems, []);
  }
});

test.serial('a terminal that cannot be loaded says so, and is loaded when asked again', async t => {
  const {server, browser} = await setUp;
  await using serial = await startSerialTest(server);
  serial.write('SeaBIOS\r\n');
  await serial.pass();
  await using window = await openWindow(browser, {url: server.url});
  const {page} = window;
  await signIn(page, administrator);
  await page.route(
    url => isTerminal(url.href),
    route => route.abort(),
  );
  await page.goto(`/image-tests?test=${serial.id}&log=terminal`);
  await page.getByRole('alert').getByText('Cannot load the terminal').waitFor();
  t.deepEqual(await axeFindings(page), []);
  await screenshot(page, 'terminal-failed');
  await page.unrouteAll();
  await page.getByRole('button', {name: 'Try again'}).click();
  await screenOf(page).getByText('SeaBIOS').waitFor();
  t.is(await page.getByRole('alert').count(), 0);
});
