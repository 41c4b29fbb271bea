import {DomainError} from '../errors.ts';
import type {Firmware} from '../store/boot-tests.ts';
import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import {holdImage} from '../store/image-collection.ts';
import {testLogs} from '../store/image-test-logs.ts';
import * as store from '../store/image-tests.ts';
import type {
  ImageTest,
  ImageTestOrder,
  ImageTestPlan,
  ImageTestType,
} from '../store/image-tests.ts';
import {findImageByArtifact, findImages, type Image} from '../store/images.ts';
import type {LogChunk} from '../store/log-chunks.ts';
import type {Machine} from '../store/machines.ts';
import {seesEverything} from '../store/scope.ts';
import type {KeyedWakeUps} from '../wake-ups.ts';
import type {BlobStore} from './blobs.ts';
import {created, updated} from './changes.ts';
import type {Deps} from './deps.ts';
import {followWork, readLog, type Seen} from './followed-work.ts';
import {type DiskImages, parseImagePath} from './image-paths.ts';
import {endTest} from './image-test-end.ts';
import {
  completeTest,
  isTestOver,
  keptTestsOfImage,
  liveTestsMax,
  liveTestsOfImageMax,
  screenshotBytesMax,
  serialLogBytesMax,
} from './image-test-rules.ts';
import {pageOf, parseListRequest, type Unparsed} from './newest-first.ts';

export type WantedImageTest = {
  readonly imageId: string;
  readonly imagePath: string;
  readonly imageType: store.TestedImageType | undefined;
  readonly testType: ImageTestType;
  /** Id, service tag, UUID or MAC; empty for none. */
  readonly machine: string;
  readonly firmwares: readonly Firmware[];
  readonly plan: Partial<ImageTestPlan>;
};

export type ImageTestUpdate = {readonly test: ImageTest} | {readonly log: LogChunk};

type Subject = Pick<ImageTestOrder, 'imageId' | 'imagePath' | 'imageType' | 'disk'>;

export type ImageTests = ReturnType<typeof createImageTests>;

export type ImageTestsDeps = Deps & {
  readonly getMachine: (name: string) => Promise<Machine>;
  readonly blobs: Pick<BlobStore, 'stat' | 'read'>;
  readonly diskImages: DiskImages;
  /** Told by test id through NOTIFY 'image_tests'. */
  readonly changes: KeyedWakeUps;
};

/** What people do with tests of images; what builders do is in image-test-work.ts. */
export function createImageTests(deps: ImageTestsDeps) {
  const {sql, now, newId, blobs, changes} = deps;
  const end = endTest(deps);

  /** Throws not_found. */
  async function get(id: string): Promise<ImageTest> {
    return found(await store.findImageTest(sql, id), id);
  }

  async function resolve({imageId, imagePath}: WantedImageTest): Promise<Subject> {
    if ((imageId === '') === (imagePath === ''))
      throw new DomainError(
        'invalid_argument',
        'Cannot test an image without knowing which: give either image_id or image_path',
      );
    const path = imageId ? ({kind: 'image', id: imageId} as const) : parseImagePath(imagePath);
    if (path.kind === 'file') {
      if (!seesEverything()) throw notInStore(imagePath);
      const disk = await deps.diskImages.take(path.name);
      const same = `/images/${path.name}`;
      return {imageId: undefined, imagePath: same, imageType: 'custom', disk};
    }
    const image =
      path.kind === 'image'
        ? (await findImages(sql, [path.id]))[0]
        : await findImageByArtifact(sql, path.sha256);
    if (!image) throw notInStore(imagePath || `/images/${imageId}`);
    return subjectOf(image);
  }

  /** In the caller's transaction. Throws resource_exhausted, and not_found when the image was collected meanwhile. */
  async function queueIn(tx: Sql, order: ImageTestOrder): Promise<string> {
    const id = newId();
    const {imageId, imagePath, machineId, actor, testType} = order;
    if (imageId !== undefined && !(await holdImage(tx, imageId))) throw notInStore(imagePath);
    const {own, all} = await store.countLiveImageTests(tx, imagePath);
    if (own >= liveTestsOfImageMax || all >= liveTestsMax)
      throw new DomainError(
        'resource_exhausted',
        `Cannot queue a test of "${imagePath}": ${own} of it and ${all} of all wait or run, allowed are ${liveTestsOfImageMax} and ${liveTestsMax}; wait for one of them or cancel it`,
      );
    await store.deleteOldImageTests(tx, {imagePath, keep: keptTestsOfImage - 1});
    await store.insertImageTest(tx, {...order, id, createTime: now()});
    await appendEvent(tx, {
      id: newId(),
      time: now(),
      type: 'image_test.requested',
      actor,
      machineId,
      subject: `image-tests/${id}`,
      data: {imagePath, testType, names: order.names},
      change: created({...order, status: 'pending'}),
    });
    await store.notifyTestQueue(tx, id);
    return id;
  }

  async function cancelIn(tx: Sql, actor: string, id: string): Promise<void> {
    const test = found(await store.findImageTestForUpdate(tx, id), id);
    if (isTestOver(test.status) || test.cancelRequested) return;
    const failure = `Cancelled by ${actor}`;
    if (test.status === 'pending') return end(tx, test, {status: 'cancelled', actor, failure});
    await store.updateImageTest(tx, id, {cancelRequested: true, failure});
    await appendEvent(tx, {
      id: newId(),
      time: now(),
      type: 'image_test.cancel_requested',
      actor,
      machineId: test.machineId,
      subject: `image-tests/${id}`,
      change: updated({cancelRequested: false}, {cancelRequested: true}),
    });
    await store.notifyImageTest(tx, id);
  }

  /** From the beginning of a test that is over its builder's file of the whole, else what came in. */
  async function* logAfter(test: ImageTest, after: number): AsyncGenerator<LogChunk> {
    const text = isTestOver(test.status) && after === 0 ? await fileText(test) : undefined;
    if (text !== undefined) {
      const lines = text.split('\n');
      for (let start = 0; start < lines.length; start += 500)
        yield {number: 0, time: test.endTime ?? now(), lines: lines.slice(start, start + 500)};
      return;
    }
    yield* readLog(page => testLogs.list(sql, test.id, page), after);
  }

  async function fileText({serialLog}: ImageTest): Promise<string | undefined> {
    if (!serialLog) return undefined;
    const bytes = await readBlob(serialLog.sha256, serialLogBytesMax);
    return bytes?.toString('utf8').replace(/\n$/, '');
  }

  async function readBlob(sha256: string, bytesMax: number): Promise<Buffer | undefined> {
    const known = await blobs.stat(sha256);
    if (!known || known.sizeBytes === 0) return undefined;
    const last = Math.min(known.sizeBytes, bytesMax) - 1;
    const chunks: Buffer[] = [];
    for await (const chunk of blobs.read(sha256, {start: 0, end: last}))
      chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }

  return {
    get,
    queueIn,

    /** Throws invalid_argument, not_found, failed_precondition (a file that may not be used) or resource_exhausted. */
    async create(actor: string, wanted: WantedImageTest): Promise<ImageTest> {
      if (wanted.machine === '' && !seesEverything())
        throw new DomainError(
          'invalid_argument',
          'Cannot test an image for nobody: your roles are those of workspaces, so name a machine',
        );
      const machine = wanted.machine === '' ? undefined : await deps.getMachine(wanted.machine);
      const subject = await resolve(wanted);
      const {imageType, testType} = wanted;
      if (imageType !== undefined && imageType !== subject.imageType)
        throw new DomainError(
          'invalid_argument',
          `Cannot test "${subject.imagePath}" as ${imageType}: it is ${subject.imageType}`,
        );
      const complete = completeTest({...wanted, isDisk: subject.disk !== undefined});
      const order = {...subject, ...complete, testType, machineId: machine?.id, actor};
      return get(await sql.begin(tx => queueIn(tx, order)));
    },

    /** The same once more, as a test of its own. */
    async retry(actor: string, id: string): Promise<ImageTest> {
      const test = await get(id);
      if (!isTestOver(test.status))
        throw new DomainError(
          'failed_precondition',
          `Cannot run test "${id}" again: it is ${test.status}; wait for its end or cancel it`,
        );
      return get(await sql.begin(tx => queueIn(tx, {...test, actor})));
    },

    /** One that waits ends at once; one that runs ends when its builder has heard of it. One that is over stays what it is. */
    async cancel(actor: string, id: string): Promise<ImageTest> {
      await sql.begin(tx => cancelIn(tx, actor, id));
      return get(id);
    },

    /** Newest first. Throws invalid_argument. */
    async list(request: Unparsed<store.ImageTestQuery>) {
      const {query, page} = parseListRequest(request, now());
      const {items, nextPageToken} = pageOf(
        await store.listImageTests(sql, {...query, ...page}),
        page,
      );
      return {tests: items, nextPageToken};
    },

    /** The serial console as text. Throws not_found. */
    async log(id: string): Promise<string> {
      const lines: string[] = [];
      for await (const chunk of logAfter(await get(id), 0)) lines.push(...chunk.lines);
      return lines
        .map(line => `${line}\n`)
        .join('')
        .slice(-serialLogBytesMax);
    },

    /** PNG. Throws not_found; failed_precondition when there is none. */
    async screenshot(id: string): Promise<Buffer> {
      const {screenshot, status} = await get(id);
      const png = screenshot && (await readBlob(screenshot.sha256, screenshotBytesMax));
      if (png) return png;
      const why = isTestOver(status) ? 'its builder could take none' : `it is ${status}`;
      throw new DomainError(
        'failed_precondition',
        `Cannot show the screen of test "${id}": ${why}`,
      );
    },

    /** Its state and its log as far as it is kept, then every change; ends with the test, or with the signal. Throws not_found. */
    watch: (id: string, signal: AbortSignal): AsyncGenerator<ImageTestUpdate> =>
      followWork({id, changes, read: () => seen(id)}, signal),
  };

  async function seen(id: string): Promise<Seen<ImageTestUpdate>> {
    const test = await get(id);
    return {
      update: {test},
      revision: test.revision,
      over: isTestOver(test.status),
      logAfter: after => logAfter(test, after),
    };
  }
}

export const subjectOf = ({id, kind}: Pick<Image, 'id' | 'kind'>): Subject => ({
  imageId: id,
  imagePath: `/images/${id}`,
  imageType: kind === 'registration' ? 'registration' : 'custom',
  disk: undefined,
});

function found(test: ImageTest | undefined, id: string): ImageTest {
  if (!test) throw new DomainError('not_found', `Cannot find image test "${id}"`);
  return test;
}

function notInStore(imagePath: string): DomainError {
  return new DomainError(
    'not_found',
    `Cannot find "${imagePath}" in the image store: "muster images list" shows what there is`,
  );
}
