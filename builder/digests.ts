import {createHash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {stat} from 'node:fs/promises';
import {pipeline} from 'node:stream/promises';
import type {LocalArtifact} from './backends/backend.ts';

/** SHA-256 in lower-case hexadecimal. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, {highWaterMark: 1024 * 1024}), hash);
  return hash.digest('hex');
}

export const sha256OfText = (text: string | Uint8Array): string =>
  createHash('sha256').update(text).digest('hex');

export async function describeArtifact(name: string, path: string): Promise<LocalArtifact> {
  const [sha256, {size}] = await Promise.all([sha256OfFile(path), stat(path)]);
  return {name, path, sha256, sizeBytes: size};
}

export type Json =
  | string
  | number
  | boolean
  | readonly Json[]
  | {readonly [name: string]: Json | undefined};

/** JSON with sorted names and without blanks: equal values give equal text, whatever the order they were made in (compare RFC 8785). */
export function canonicalJson(value: Json): string {
  if (typeof value !== 'object') return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const fields = Object.entries(value)
    .flatMap(([name, field]) => (field === undefined ? [] : [{name, field}]))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return `{${fields.map(({name, field}) => `${JSON.stringify(name)}:${canonicalJson(field)}`).join(',')}}`;
}

/** One key for equal values; for what is cached or built from them. */
export const digestOf = (value: Json): string => sha256OfText(canonicalJson(value));

const isList = (value: Json): value is readonly Json[] => Array.isArray(value);
