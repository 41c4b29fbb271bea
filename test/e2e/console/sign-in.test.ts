import test from 'ava';
import type {Page} from 'playwright-core';
import {User_Role as Role, UserService} from '@muster/proto/gen/muster/v1/users_pb.ts';
import {
  axeFindings,
  openWindow,
  phone,
  screenshot,
  signIn,
  startChromium,
} from '../../helpers/chromium.ts';
import {type Person, startOidcProvider} from '../../helpers/oidc-provider.ts';
import {administrator, startRunningServer} from '../../helpers/running-server.ts';

const people = new Map<string, Person>([
  ['u1', {sub: 'u1', preferred_username: 'olive', email: 'o@example.com', groups: ['ops']}],
  ['u2', {sub: 'u2', preferred_username: 'mallory', groups: ['guests']}],
]);
const stack = new AsyncDisposableStack();
const setUp = (async () => {
  const provider = stack.use(await startOidcProvider(people));
  const server = stack.use(
    await startRunningServer({
      OIDC_ISSUER: provider.issuer,
      OIDC_CLIENT_ID: 'muster',
      OIDC_CLIENT_SECRET: 'a client secret',
      OIDC_SCOPES: 'openid profile email groups',
      OIDC_ROLES: 'ops=operator',
      OIDC_NAME: 'Example',
    }),
  );
  const browser = stack.use(await startChromium());
  return {server, provider, browser};
})();
test.after.always(() => stack.disposeAsync());

/** Own pages only: those of the provider want a font from elsewhere, and nobody is signed in at first. */
const ownProblems = (problems: readonly string[]) =>
  problems.filter(problem => !/status of 401|ERR_FAILED/.test(problem));

/** Answers from elsewhere than this host are none of the test's. */
const stayHere = (page: Page) =>
  page.route(
    url => url.hostname !== '127.0.0.1',
    route => route.abort(),
  );

async function proveAtProvider(page: Page, login: string): Promise<void> {
  await page.getByPlaceholder('Enter any login').fill(login);
  await page.getByPlaceholder('and password').fill('any');
  await page.getByRole('button', {name: 'Sign-in'}).click();
  await page.getByRole('button', {name: 'Continue'}).click();
}

test.serial(
  'somebody signs in at the provider, lands where they wanted to go, and signs out',
  async t => {
    const {server, provider, browser} = await setUp;
    await using window = await openWindow(browser, {url: server.url});
    const {page, problems} = window;
    await stayHere(page);
    const policies: string[] = [];
    page.on('response', response => {
      if (response.request().isNavigationRequest() && response.url().startsWith(server.url))
        policies.push(response.headers()['content-security-policy'] ?? 'none');
    });

    await page.goto('/groups');
    await page.getByRole('button', {name: 'Sign in with Example'}).click();
    await page.waitForURL(url => url.origin === provider.issuer);
    await proveAtProvider(page, 'u1');
    await page.getByRole('heading', {level: 1, name: 'Groups'}).waitFor();
    t.is(new URL(page.url()).pathname, '/groups');

    await page.getByRole('link', {name: 'Overview', exact: true}).click();
    await page.getByRole('heading', {level: 1, name: 'Overview'}).waitFor();
    await page.getByText('Live', {exact: true}).waitFor();
    // The page that was asked for, and the one that the provider sent back to.
    t.is(policies.length, 2);
    for (const policy of policies) t.regex(policy, /^default-src 'none'; script-src 'self'; /);
    t.deepEqual(ownProblems(problems), []);
    t.is(await page.evaluate('document.cookie'), '');
    t.deepEqual(await page.evaluate('Object.keys(localStorage)'), []);

    await page.getByRole('button', {name: 'olive'}).click();
    await page.getByRole('menuitem', {name: 'Sign out'}).click();
    await page.getByRole('heading', {name: 'Sign in'}).waitFor();
    await page.goto('/');
    await page.getByRole('heading', {name: 'Sign in'}).waitFor();
  },
);

test.serial('whoever has no role at the provider is told so, and can go back', async t => {
  const {server, browser} = await setUp;
  await using window = await openWindow(browser, {url: server.url});
  const {page} = window;
  await stayHere(page);
  await page.goto('/sign-in');
  await page.getByRole('button', {name: 'Sign in with Example'}).click();
  await proveAtProvider(page, 'u2');
  const alert = page.getByRole('alert');
  await alert.getByText(/names no group that has a role here; ask an administrator/).waitFor();
  t.deepEqual(await axeFindings(page), []);
  await page.getByRole('link', {name: 'Back to the sign-in page'}).click();
  await page.getByRole('heading', {name: 'Sign in'}).waitFor();
});

test.serial(
  'an administrator makes a code, and the link that holds it lets its user in once',
  async t => {
    const {server, browser} = await setUp;
    const users = server.client(UserService);
    const password = 'the first of them';
    await users.createUser({username: 'erin', password, role: Role.VIEWER});
    await using office = await openWindow(browser, {url: server.url});
    await office.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await signIn(office.page, administrator);
    await office.page.goto('/people?user=erin');
    await office.page.getByRole('button', {name: 'Reset the password'}).click();
    await office.page.getByRole('button', {name: 'Make a code'}).click();
    const code = await office.page.getByLabel('the code', {exact: true}).textContent();
    await office.page.getByText(/It works once and ends in/).waitFor();
    t.deepEqual(await axeFindings(office.page), []);
    await office.page.getByRole('button', {name: 'Copy the link'}).click();
    await office.page.getByRole('button', {name: 'Copied the link'}).waitFor();
    const link = await office.page.evaluate<string>('navigator.clipboard.readText()');
    t.is(link, `${server.url}/reset?user=erin#${code}`);
    await office.page.getByRole('button', {name: 'I have it'}).click();
    t.is(await office.page.getByText(code ?? '').count(), 0);

    await using home = await openWindow(browser, {url: server.url});
    const {page, problems} = home;
    await page.goto(link);
    await page.getByLabel('New password').fill('the second of them');
    t.deepEqual(await axeFindings(page), []);
    await screenshot(page, 'reset');
    await page.getByRole('button', {name: 'Set the password and sign in'}).click();
    await page.getByRole('heading', {level: 1, name: 'Overview'}).waitFor();
    await page.getByRole('button', {name: 'erin'}).waitFor();
    t.deepEqual(ownProblems(problems), []);

    await page.goto(link);
    await page.getByLabel('New password').fill('the third of them');
    await page.getByRole('button', {name: 'Set the password and sign in'}).click();
    await page
      .getByRole('alert')
      .getByText(/the code was used/)
      .waitFor();
  },
);

test.serial('one’s own password is changed, and counts at the next sign-in', async t => {
  const {server, browser} = await setUp;
  const [before, after] = ['one that is known', 'one that is new'];
  await server
    .client(UserService)
    .createUser({username: 'frida', password: before, role: Role.VIEWER});
  await using window = await openWindow(browser, {url: server.url, viewport: phone});
  const {page} = window;
  await signIn(page, {username: 'frida', password: before});
  await page.goto('/people?tab=account');
  // Of tabs that are wider than a phone, the one that is shown.
  const tab = await page.getByRole('link', {name: 'Your account'}).boundingBox();
  t.true(tab !== null && tab.x >= 0 && tab.x + tab.width <= phone.width, JSON.stringify(tab));
  await page.getByLabel('Present password').fill('no, another');
  await page.getByLabel('New password').fill(after);
  await page.getByRole('button', {name: 'Change the password'}).click();
  await page
    .getByRole('alert')
    .getByText(/the present one is wrong/)
    .waitFor();
  await page.getByLabel('Present password').fill(before);
  await page.getByRole('button', {name: 'Change the password'}).click();
  await page.getByText('Your password is changed').waitFor();

  const {status} = await fetch(`${server.url}/api/v1/login`, {
    method: 'POST',
    body: JSON.stringify({username: 'frida', password: before}),
  });
  t.is(status, 401);
  await using other = await openWindow(browser, {url: server.url});
  await signIn(other.page, {username: 'frida', password: after});
});
