import {createHash} from 'node:crypto';
import {mkdir, mkdtemp, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {buffer} from 'node:stream/consumers';
import test, {type ExecutionContext} from 'ava';
import {openFolderBlobStore} from './blob-store.ts';
import {createDiskImages} from './disk-images.ts';

async function setUp(t: ExecutionContext) {
  const folder = await mkdtemp(join(tmpdir(), 'muster-disks-'));
  t.teardown(() => rm(folder, {recursive: true, force: true}));
  const store = join(folder, 'store');
  const blobs = await openFolderBlobStore(store);
  await mkdir(join(store, 'images'));
  await writeFile(join(folder, 'secret'), 'secret');
  const disks = createDiskImages({folder: store, blobs, sizeBytesMax: 4096});
  return {folder, images: join(store, 'images'), blobs, disks};
}

test('a disk image is copied among the blobs by its content, once', async t => {
  const {images, blobs, disks} = await setUp(t);
  const content = Buffer.alloc(2048, 7);
  await writeFile(join(images, 'custom-image.img'), content);
  const sha256 = createHash('sha256').update(content).digest('hex');
  const expected = {name: 'custom-image.img', sha256, sizeBytes: 2048};
  t.deepEqual(await disks.take('custom-image.img'), expected);
  t.deepEqual(await disks.take('custom-image.img'), expected);
  t.deepEqual(await buffer(blobs.read(sha256, {start: 0, end: 2047})), content);
});

test('links, folders, what is missing, empty or too large is refused', async t => {
  const {folder, images, disks} = await setUp(t);
  await symlink(join(folder, 'secret'), join(images, 'link.img'));
  await mkdir(join(images, 'folder.img'));
  await writeFile(join(images, 'large.img'), Buffer.alloc(4097));
  await writeFile(join(images, 'empty.img'), '');
  await t.throwsAsync(disks.take('link.img'), {message: /it is a symbolic link/});
  await t.throwsAsync(disks.take('folder.img'), {message: /it is no file/});
  await t.throwsAsync(disks.take('large.img'), {message: /4097 bytes, allowed are 1 to 4096/});
  await t.throwsAsync(disks.take('empty.img'), {message: /it has 0 bytes/});
  await t.throwsAsync(disks.take('other.img'), {message: /Cannot find "other\.img"/});
});

test('a folder "images" that leads elsewhere is refused', async t => {
  const {folder, images, disks} = await setUp(t);
  await rm(images, {recursive: true});
  await symlink(folder, images);
  await t.throwsAsync(disks.take('secret'), {message: /outside of the image store/});
});
