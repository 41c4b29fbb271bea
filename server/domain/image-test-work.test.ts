import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {uuidv7} from '@muster/runtime/ids.ts';
import test, {type ExecutionContext} from 'ava';
import {postgresOf} from '../../test/helpers/postgres.ts';
import {addImage} from '../../test/helpers/server-machines.ts';
import {openFolderBlobStore} from '../clients/blob-store.ts';
import {listNamedDigests, listUsedImageIds} from '../store/image-collection.ts';
import type {ImageTestResult} from '../store/image-tests.ts';
import type {Image} from '../store/images.ts';
import {createKeyedWakeUps} from '../wake-ups.ts';
import {createImageTestWork, type ImageTestOutcome} from './image-test-work.ts';
import {createImageTests} from './image-tests.ts';

const postgres = postgresOf(test);

const [first, second] = ['b1', 'b2'].map(id => ({id, actor: `builder:${id}`})) as [
  {id: string; actor: string},
  {id: string; actor: string},
];
const screenshot = {name: 'screen.png', sha256: 'a'.repeat(64), sizeBytes: 3000};
const lost = 'f'.repeat(64);

async function setUp(t: ExecutionContext) {
  const database = await postgres.createDatabase();
  t.teardown(() => database[Symbol.asyncDispose]());
  const folder = await mkdtemp(join(tmpdir(), 'muster-image-tests-'));
  t.teardown(() => rm(folder, {recursive: true, force: true}));
  const {sql} = database;
  let offsetMs = 0;
  const deps = {sql, now: () => new Date(Date.now() + offsetMs), newId: () => uuidv7()};
  const tests = createImageTests({
    ...deps,
    getMachine: () => Promise.reject(new Error('No machine is named here')),
    blobs: await openFolderBlobStore(folder),
    diskImages: {take: () => Promise.reject(new Error('No disk is named here'))},
    changes: createKeyedWakeUps(),
  });
  const work = createImageTestWork({
    ...deps,
    hasArtifact: sha256 => Promise.resolve(sha256 !== lost),
    limits: {queuedMs: 60_000, silentMs: 120_000},
  });
  const image = await addImage(sql, {});
  return {
    sql,
    tests,
    work,
    image,
    passTime(seconds: number) {
      offsetMs += seconds * 1000;
    },
    create: (of: Image = image) =>
      tests.create('user:alice', {
        imageId: of.id,
        imagePath: '',
        imageType: undefined,
        testType: 'hello',
        machine: '',
        firmwares: [],
        plan: {},
      }),
    events: async (id: string) => {
      const rows = await sql<{type: string}[]>`
        select type from events where subject = ${`image-tests/${id}`} order by id
      `;
      return rows.map(({type}) => type);
    },
  };
}

const result = (passed: boolean, firmware: 'bios' | 'uefi' = 'bios'): ImageTestResult => ({
  firmware,
  passed,
  durationMs: 10,
  stage: 'agent started',
  failure: passed ? '' : 'it broke',
  consoleTail: '',
  checks: [],
});

const outcome = (part: Partial<ImageTestOutcome> = {}): ImageTestOutcome => ({
  outcome: 'passed',
  results: [result(true)],
  error: '',
  screenshot: undefined,
  serialLog: undefined,
  ...part,
});

test('a builder that was given up is refused: what its successor says counts, once', async t => {
  const {tests, work, create, passTime, events} = await setUp(t);
  const {id: testId} = await create();
  const {attempt} = await work.claim(first, testId);
  await work.report(first, {testId, attempt, stage: 'network up', lines: ['of the first']});
  await t.throwsAsync(work.claim(second, testId), {message: /builder "b1" is at it/});

  passTime(21);
  t.is((await work.claim(second, testId)).attempt, 2);
  t.is(await tests.log(testId), '');
  const late = {testId, attempt};
  const report = work.report(first, {...late, stage: '', lines: ['late']});
  await t.throwsAsync(report, {message: /attempt 1 .* with attempt 2; stop/});
  const failed = outcome({outcome: 'failed', results: [result(false)], error: 'late'});
  await t.throwsAsync(work.finish(first, {...late, result: failed}), {message: /stop/});

  const current = {testId, attempt: 2};
  const lines = Array.from({length: 500}, () => 'x'.repeat(4000));
  for (let count = 0; count < 2; count += 1)
    await work.report(second, {...current, stage: 'agent started', lines: [...lines, 'last']});
  const kept = await tests.log(testId);
  t.true(kept.length <= 1024 * 1024 && kept.length > 0);
  t.true(kept.endsWith('last\n'));

  await work.finish(second, {...current, result: outcome({screenshot})});
  await work.finish(second, {...current, result: outcome({screenshot})});
  await t.throwsAsync(work.claim(first, testId), {message: /it is passed; drop the job/});
  t.like(await tests.get(testId), {status: 'passed', attempt: 2, builderId: 'b2', screenshot});
  t.deepEqual(await events(testId), [
    'image_test.requested',
    'image_test.started',
    'image_test.started',
    'image_test.passed',
  ]);
});

test('a result that does not fit what was asked, or files that are not there, are refused', async t => {
  const {work, create} = await setUp(t);
  const {id: testId} = await create();
  const {attempt} = await work.claim(first, testId);
  const finish = (part: Partial<ImageTestOutcome>) =>
    work.finish(first, {testId, attempt, result: outcome(part)});
  await t.throwsAsync(finish({results: []}), {message: /as passed: its results do not say so/});
  await t.throwsAsync(finish({results: [result(true, 'uefi')]}), {message: /do not say so/});
  await t.throwsAsync(finish({outcome: 'failed'}), {message: /as failed: its results/});
  const large = {...screenshot, sizeBytes: 4 * 1024 * 1024 + 1};
  await t.throwsAsync(finish({screenshot: large}), {message: /allowed are 4194304/});
  const missing = {...screenshot, sha256: lost};
  await t.throwsAsync(finish({serialLog: missing}), {message: /is not in the image store/});
  await finish({outcome: 'error', results: [], error: 'QEMU is missing'});
});

test('a test whose builder falls silent is queued again, five times at most', async t => {
  const {tests, work, create, passTime} = await setUp(t);
  const {id: testId} = await create();
  const review = () => work.review({queueIsEmpty: true});
  t.deepEqual(await review(), [{imageTestId: testId, jobCount: 0}]);
  await work.jobQueued(testId);
  t.deepEqual(await review(), []);
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    t.is((await work.claim(first, testId)).attempt, attempt);
    passTime(121);
    t.is((await review()).length, attempt < 5 ? 1 : 0);
    await work.jobQueued(testId);
  }
  t.like(await tests.get(testId), {
    status: 'error',
    failure: '5 attempts ended without a result',
  });
});

test('an image has few tests at a time, and keeps its newest ones', async t => {
  const {sql, tests, work, create, image} = await setUp(t);
  const waiting = [];
  for (let count = 0; count < 8; count += 1) waiting.push(await create());
  await t.throwsAsync(create(), {message: /8 of it and 8 of all wait or run, allowed are 8 and/});
  await create(await addImage(sql, {}));
  for (const {id} of waiting) await tests.cancel('user:alice', id);
  await sql`
    insert into image_tests (id, image_id, image_path, image_type, test_type, firmwares, plan, names, actor, status, create_time)
    select gen_random_uuid(), image_id, image_path, image_type, test_type, firmwares, plan, names, actor, 'passed', create_time
    from image_tests cross join generate_series(1, 20) where image_id = ${image.id}
  `;
  const {id} = await create();
  const {tests: listed} = await tests.list({...allTests, imageId: image.id, pageSize: 1000});
  t.is(listed.length, 100);
  t.true(listed.some(one => one.id === id));
  await t.throwsAsync(work.claim(first, waiting[0]?.id ?? ''), {message: /cancelled|Cannot find/});
});

test('an image that is tested stays, and so do the files of its tests as long as it does', async t => {
  const {sql, work, create, image} = await setUp(t);
  const {id: testId} = await create();
  t.true((await listUsedImageIds(sql)).has(image.id));
  const {attempt} = await work.claim(first, testId);
  t.true((await listUsedImageIds(sql)).has(image.id));
  await work.finish(first, {testId, attempt, result: outcome({screenshot})});
  t.false((await listUsedImageIds(sql)).has(image.id));
  t.true((await listNamedDigests(sql)).has(screenshot.sha256));
  t.false((await listNamedDigests(sql, [image.id])).has(screenshot.sha256));
});

test('tests are narrowed by several results and by time, newest first, page by page', async t => {
  const {sql, tests, create, image} = await setUp(t);
  const {id} = await create();
  await sql`
    insert into image_tests (id, image_id, image_path, image_type, test_type, firmwares, plan, names, actor, status, create_time)
    select gen_random_uuid(), image_id, image_path, image_type, test_type, firmwares, plan, names, actor,
      (array['passed', 'failed', 'error', 'cancelled'])[1 + n % 4], create_time - n * interval '1 minute'
    from image_tests cross join generate_series(1, 24) as n
  `;
  const read = async (query: object) => {
    const found = [];
    let pageToken = '';
    do {
      const page = await tests.list({...allTests, imageId: image.id, ...query, pageToken});
      found.push(...page.tests);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    return found.map(test => `${test.status} ${test.createTime.toISOString()}`);
  };
  const all = await read({});
  t.is(all.length, 25);
  t.is(new Set(all).size, 25);
  const bad = all.filter(text => /^(failed|error)/.test(text));
  t.is(bad.length, 12);
  t.deepEqual(await read({statuses: ['failed', 'error']}), bad);
  const {createTime} = await tests.get(id);
  const since = new Date(createTime.getTime() - 10 * 60_000).toISOString();
  t.deepEqual(await read({since}), all.slice(0, 11));
  t.deepEqual(await read({until: since, statuses: ['error', 'failed', 'passed']}), [
    ...all.slice(11).filter(text => !text.startsWith('cancelled')),
  ]);
});

const allTests = {
  imageId: undefined,
  machineId: undefined,
  statuses: [],
  testType: undefined,
  imageType: undefined,
  since: '',
  until: '',
  pageSize: 4,
  pageToken: '',
};
