import {mkdirSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import process from 'node:process';
import {type Browser, type BrowserContext, chromium, type Page} from 'playwright-core';

const executablePath = '/usr/bin/chromium';
const waitMs = 20_000;
/** Where tests leave what they saw. */
const screenshotFolder = 'dist/screenshots';
const axeSource = readFileSync(
  createRequire(import.meta.url).resolve('axe-core/axe.min.js'),
  'utf8',
);

export const wide = {width: 1280, height: 800} as const;
export const phone = {width: 390, height: 844} as const;

export async function startChromium(): Promise<Browser & AsyncDisposable> {
  return chromium.launch({
    executablePath,
    // Chromium's own sandbox refuses to run as root, as tests in containers do.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
}

/** A window of somebody who has not been here before, and everything that went wrong inside of it. */
export async function openWindow(
  browser: Browser,
  options: {
    readonly url: string;
    readonly viewport?: {readonly width: number; readonly height: number};
    readonly colorScheme?: 'light' | 'dark';
  },
) {
  const {url, viewport = wide, colorScheme = 'light'} = options;
  const context: BrowserContext = await browser.newContext({baseURL: url, viewport, colorScheme});
  context.setDefaultTimeout(waitMs);
  const page: Page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', error => problems.push(error.message));
  page.on('console', message => {
    if (message.type() === 'error') problems.push(message.text());
  });
  return {
    page,
    /** Mistakes of scripts, refusals of the content security policy, requests that failed. */
    problems,
    [Symbol.asyncDispose]: () => context.close(),
  };
}

export async function signIn(
  page: Page,
  who: {readonly username: string; readonly password: string},
) {
  await page.goto('/sign-in');
  await page.getByLabel('User name').fill(who.username);
  await page.getByLabel('Password').fill(who.password);
  await page.getByRole('button', {name: 'Sign in', exact: true}).click();
  await page.getByRole('heading', {level: 1, name: 'Overview'}).waitFor();
}

type AxeResult = {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly {readonly html: string; readonly failureSummary: string}[];
  }[];
};

/** What WCAG 2.2 AA would have said about the page, one line for each place. */
export async function axeFindings(page: Page): Promise<readonly string[]> {
  // Evaluated by the browser's own debugger: the policy of the page forbids scripts from elsewhere.
  await page.evaluate(axeSource);
  const {violations} = await page.evaluate<AxeResult>(
    `axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})`,
  );
  return violations.flatMap(({id, nodes}) =>
    nodes.map(({html, failureSummary}) => `${id}: ${html.slice(0, 200)} ${failureSummary}`),
  );
}

export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(screenshotFolder, {recursive: true});
  await page.screenshot({path: join(screenshotFolder, `${name}.png`)});
}
