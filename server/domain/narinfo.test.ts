import test from 'ava';
import {missingOf} from './store-paths.ts';
import {fingerprintOf, parseNarInfo, renderNarInfo} from './narinfo.ts';

const hash = 'a'.repeat(32);
const other = 'b'.repeat(32);
/** Of no bytes, as Nix writes it and as everybody else does. */
const empty = 'sha256:0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73';
const emptyHexadecimal = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const signature = `builder-1:${Buffer.alloc(64).toString('base64')}`;

const fields: Readonly<Record<string, string>> = {
  StorePath: `/nix/store/${hash}-hello-2.12`,
  URL: 'nar/anything.nar.zst',
  Compression: 'zstd',
  FileHash: empty,
  FileSize: '100',
  NarHash: empty,
  NarSize: '200',
  References: `${hash}-hello-2.12 ${other}-glibc-2.40`,
  Deriver: `${other}-hello-2.12.drv`,
  Sig: signature,
};
const textOf = (changed: Readonly<Record<string, string>> = {}) =>
  Object.entries({...fields, ...changed})
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('');

test('a narinfo is written anew: its archive has its name in the image store', t => {
  t.is(
    renderNarInfo(parseNarInfo(`${textOf()}CA: fixed:r:${empty}\nFuture: whatever\n`)),
    `StorePath: /nix/store/${hash}-hello-2.12
URL: nar/${emptyHexadecimal}.nar.zst
Compression: zstd
FileHash: sha256:${emptyHexadecimal}
FileSize: 100
NarHash: ${empty}
NarSize: 200
References: ${hash}-hello-2.12 ${other}-glibc-2.40
Deriver: ${other}-hello-2.12.drv
Sig: ${signature}
CA: fixed:r:${empty}
`,
  );
});

test('what is signed names the references with their folder', t => {
  t.is(
    fingerprintOf(parseNarInfo(textOf())),
    `1;/nix/store/${hash}-hello-2.12;${empty};200;/nix/store/${hash}-hello-2.12,/nix/store/${other}-glibc-2.40`,
  );
});

const refuses = test.macro((t, changed: Readonly<Record<string, string>>, message: RegExp) => {
  t.throws(() => parseNarInfo(textOf(changed)), {message});
});
test('no path', refuses, {StorePath: ''}, /its StorePath is ""/);
test('a path outside of a store', refuses, {StorePath: `${hash}-x`}, /its StorePath is/);
test('a path with steps upwards', refuses, {StorePath: '/nix/store/../../etc'}, /names no store/);
test('a base name that is none', refuses, {StorePath: '/nix/store/hello'}, /names no store path/);
test('letters that hashes do not have', refuses, {References: `${'e'.repeat(32)}-x`}, /names no/);
test('a reference with a path', refuses, {References: `${hash}-x/../y`}, /names no store path/);
test('another compression', refuses, {Compression: 'xz'}, /its Compression is "xz"/);
test('a hash of another kind', refuses, {NarHash: 'md5:abc'}, /its NarHash is "md5:abc"/);
test('a hash beyond 256 bits', refuses, {FileHash: `sha256:${'z'.repeat(52)}`}, /its FileHash/);
test('no size', refuses, {NarSize: '0'}, /its NarSize is "0"/);
test('a size that is no number', refuses, {FileSize: '1e3'}, /its FileSize is "1e3"/);
test('a signature that is none', refuses, {Sig: 'builder-1:abc'}, /signatures of another form/);
test('a line break within', refuses, {Deriver: 'x\r'}, /a line that is no field/);
test('a field said twice', t => {
  t.throws(() => parseNarInfo(`${textOf()}NarSize: 1\n`), {message: /two fields "NarSize"/});
});
test('too many signatures', t => {
  t.throws(() => parseNarInfo(textOf() + `Sig: ${signature}\n`.repeat(16)), {message: /more than/});
});

test('a system has a hole where a path, or what a path refers to, is missing', t => {
  const path = (name: string, ...referenceHashes: string[]) => ({hash: name, referenceHashes});
  t.deepEqual(missingOf(['a', 'b'], [path('a', 'b'), path('b')]), []);
  t.deepEqual(missingOf(['a', 'b'], [path('a', 'b')]), ['b']);
  t.deepEqual(missingOf(['a'], [path('a', 'b')]), ['b']);
});
