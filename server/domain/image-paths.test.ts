import test from 'ava';
import {type ImagePath, parseImagePath} from './image-paths.ts';

const digest = 'a1'.repeat(32);

const paths: readonly (readonly [text: string, path: ImagePath])[] = [
  ['/images/custom-image.img', {kind: 'file', name: 'custom-image.img'}],
  ['images/custom-image.img', {kind: 'file', name: 'custom-image.img'}],
  [`/images/${digest}`, {kind: 'image', id: digest}],
  [`/images/sha256/${digest}/vmlinuz`, {kind: 'artifact', sha256: digest}],
];

for (const [text, path] of paths)
  test(`image_path "${text}" is within the image store`, t => {
    t.deepEqual(parseImagePath(text), path);
  });

const refused: readonly (readonly [text: string, why: RegExp])[] = [
  ['/images/../etc/passwd', /holds no "\." and "\.\."/],
  ['/images/sha256/../../x', /holds no "\." and "\.\."/],
  ['images/./x', /holds no "\." and "\.\."/],
  ['/images//x', /no empty part/],
  ['/images/', /no empty part/],
  ['/etc/passwd', /outside of the image store/],
  ['/var/lib/muster/images/x.img', /outside of the image store/],
  ['custom-image.img', /outside of the image store/],
  ['/Images/x', /outside of the image store/],
  ['http://elsewhere/images/x.img', /names another host/],
  ['HTTPS://elsewhere/x', /names another host/],
  ['file:///images/x.img', /names another host/],
  ['//elsewhere/images/x.img', /names another host/],
  ['/images/%2e%2e/x', /holds a character/],
  ['/images\\..\\x', /holds a character/],
  ['/images/x.img?y', /holds a character/],
  ['/images/x\0.img', /holds a character/],
  ['/images/bild-ü.img', /holds a character/],
  ['/images/.hidden', /there is "\/images\/<image id>"/],
  ['/images/a/b', /there is/],
  [`/images/sha256/${digest}`, /there is/],
  ['/images/sha256/short/vmlinuz', /there is/],
];

for (const [text, why] of refused)
  test(`image_path ${JSON.stringify(text)} is refused`, t => {
    t.throws(() => parseImagePath(text), {message: why});
  });
