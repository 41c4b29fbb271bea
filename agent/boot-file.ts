import {readFile} from './files.ts';
import {parseObject, textField, textsField} from './json.ts';

/** What this boot needs to know (docs/boot.md, muster.v1.BootFile). */
export type BootFile = {
  readonly session: string;
  readonly token: string;
  readonly tokenUrl: string | undefined;
  readonly enrollUrl: string;
  /** host:port */
  readonly natsServers: readonly string[];
  /** PEM */
  readonly siteCa: string;
  readonly bootMacAddress: string | undefined;
  /** Only in a test of an image: where to ask what to look at. */
  readonly imageTestUrl?: string | undefined;
};

/** Throws an error that names every missing field. */
export function parseBootFile(text: string): BootFile {
  const object = parseObject(text);
  if (!object) throw new Error('Cannot read boot.json: it is no JSON object');

  const missing = ['session', 'token', 'enrollUrl', 'siteCa'].filter(
    name => textField(object, name) === undefined,
  );
  if (missing.length > 0) throw new Error(`Cannot use boot.json: it lacks ${missing.join(', ')}`);
  const field = (name: string) => textField(object, name) ?? '';
  return {
    session: field('session'),
    token: field('token'),
    tokenUrl: textField(object, 'tokenUrl'),
    enrollUrl: field('enrollUrl').replace(/\/+$/, ''),
    natsServers: textsField(object, 'natsServers'),
    siteCa: field('siteCa'),
    bootMacAddress: textField(object, 'bootMacAddress'),
    imageTestUrl: textField(object, 'imageTestUrl'),
  };
}

export async function readBootFile(path: string): Promise<BootFile> {
  return parseBootFile(await readFile(path, 'utf8'));
}

/** The running image's input key; empty when image.json is missing or says none, as on a machine that runs no image of ours. */
export async function readImageInputKey(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const object = parseObject(text);
  return (object && textField(object, 'input_key')) ?? '';
}
