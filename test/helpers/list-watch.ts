import type {CDPSession, Page} from 'playwright-core';
import {until} from './processes.ts';

// What a person would see of the list of machines, measured inside of the page: by scale.test.ts and by `npm run bench -- console`.

const wheelPx = 700;

/** Notes when the first row, or else the first title, stands in the document. For `page.addInitScript`. */
export const noteFirst = `
  globalThis.seen = {};
  new MutationObserver(() => {
    if (document.querySelector('.table-body [data-row]:not([data-row=""])')) seen.row ??= performance.now();
    if (document.querySelector('h1')) seen.title ??= performance.now();
  }).observe(document, {childList: true, subtree: true, attributes: true});
`;

/** In each frame: is there a row, and not only its place, at the top, in the middle and at the end of the list? */
const watchRows = `
  globalThis.frames = {all: 0, blank: 0};
  cancelAnimationFrame(globalThis.rowsLook);
  (function look() {
    const box = document.querySelector('.data-table').getBoundingClientRect();
    const isFull = [60, box.height / 2, box.height - 40].every(y =>
      document.elementFromPoint(box.left + 200, box.top + y)?.closest('.table-row:not([aria-busy])'));
    frames.all += 1;
    if (!isFull) frames.blank += 1;
    globalThis.rowsLook = requestAnimationFrame(look);
  })();
`;

/** Each change of the list is one render; how long the page stood still at most; long tasks; from a key to what is painted of it. */
const watchRenders = `
  globalThis.flood = {renders: 0, stillMs: 0, longTasks: [], keys: []};
  globalThis.floodObservers?.forEach(observer => observer.disconnect());
  cancelAnimationFrame(globalThis.floodLook);
  const mutations = new MutationObserver(() => { flood.renders += 1; });
  mutations.observe(document.querySelector('.table-body'), {childList: true, subtree: true, characterData: true});
  const tasks = new PerformanceObserver(list => flood.longTasks.push(...list.getEntries().map(({duration}) => duration)));
  tasks.observe({type: 'longtask'});
  const keys = new PerformanceObserver(list => flood.keys.push(
    ...list.getEntries().filter(({name}) => name === 'keydown').map(({duration}) => duration)));
  keys.observe({type: 'event', durationThreshold: 16});
  globalThis.floodObservers = [mutations, tasks, keys];
  let last = performance.now();
  (function look() {
    const now = performance.now();
    flood.stillMs = Math.max(flood.stillMs, now - last);
    last = now;
    globalThis.floodLook = requestAnimationFrame(look);
  })();
`;

export type Frames = {readonly all: number; readonly blank: number};

export type Calm = {
  readonly seconds: number;
  readonly renders: number;
  readonly stillMs: number;
  /** Over 50 ms each: a page that has one does not answer meanwhile. */
  readonly longTasks: readonly number[];
  /** From the press of a key to the frame that shows it; those under 16 ms are not told by the browser. */
  readonly keys: readonly number[];
};

/** From the navigation to the first row of the list, and to the title of a page with nothing in it. Takes `noteFirst` before. */
export async function timeToInteractive(
  page: Page,
): Promise<{readonly rowMs: number; readonly titleMs: number}> {
  await page.goto('/settings');
  await page.getByRole('heading', {level: 1}).waitFor();
  const {title: titleMs} = await page.evaluate<{title: number}>('seen');
  await openMachines(page);
  const {row: rowMs} = await page.evaluate<{row: number}>('seen');
  return {rowMs, titleMs};
}

/** In the order of host names; gives the list, with its first rows there. */
export async function openMachines(page: Page) {
  await page.goto('/machines?order=hostname');
  const grid = page.getByRole('grid', {name: 'Machines'});
  await grid.locator('.table-body [data-row]:not([data-row=""])').first().waitFor();
  return grid;
}

/** A fling of the wheel over an open list. */
export async function scrollByWheel(page: Page, steps: number): Promise<Frames> {
  await page.getByRole('grid', {name: 'Machines'}).hover();
  await page.evaluate(watchRows);
  const begin = await page.evaluate<number>(`document.querySelector('.data-table').scrollTop`);
  for (let step = 0; step < steps; step += 1) await page.mouse.wheel(0, wheelPx);
  await until('the list to have been scrolled', () =>
    page.evaluate<boolean>(
      `document.querySelector('.data-table').scrollTop > ${begin + (steps * wheelPx) / 2}`,
    ),
  );
  return page.evaluate<Frames>('({...frames})');
}

/** To the last row and back to the first, until each is there. */
export async function jumpByKeys(
  page: Page,
  count: number,
): Promise<readonly {readonly key: string; readonly row: number; readonly ms: number}[]> {
  const grid = await openMachines(page);
  await grid.focus();
  const jumps: {key: string; row: number; ms: number}[] = [];
  for (const {key, row} of [
    {key: 'End', row: count},
    {key: 'Home', row: 1},
  ]) {
    const since = performance.now();
    await page.keyboard.press(key);
    await grid.locator(`[aria-rowindex="${row + 1}"][data-active]:not([aria-busy])`).waitFor();
    jumps.push({key, row, ms: performance.now() - since});
  }
  return jumps;
}

/** What the open list does while `work` goes on, with a key pressed now and then. */
export async function watchList(page: Page, work: () => Promise<unknown>): Promise<Calm> {
  await page.evaluate(watchRenders);
  const begin = performance.now();
  await work();
  const seconds = (performance.now() - begin) / 1000;
  return {...(await page.evaluate<Omit<Calm, 'seconds'>>('({...flood})')), seconds};
}

export type PageCost = {readonly heapMib: number; readonly nodes: number; readonly cpuMs: number};

/** What the page holds after a collection of garbage, and the CPU time of its main thread so far. */
export async function startPageCost(page: Page) {
  const devtools: CDPSession = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable', {timeDomain: 'threadTicks'});
  const read = async (): Promise<PageCost> => {
    const {metrics} = await devtools.send('Performance.getMetrics');
    const of = (wanted: string) => metrics.find(({name}) => name === wanted)?.value ?? Number.NaN;
    return {
      heapMib: of('JSHeapUsedSize') / 2 ** 20,
      nodes: of('Nodes'),
      cpuMs: of('TaskDuration') * 1000,
    };
  };
  return {
    read,
    async held(): Promise<PageCost> {
      await devtools.send('HeapProfiler.collectGarbage');
      return read();
    },
  };
}
