import {DomainError} from '../errors.ts';
import type {JournalEntry} from '../store/journal.ts';
import {dataOf} from './event-filter.ts';

export const bodyBytesMax = 256 * 1024;
export const jsonContentType = 'application/json';
const depthMax = 32;

const placeholder = /\{\{\s*([a-z_]+(?:\.[A-Za-z0-9_-]{1,64}){0,16})\s*\}\}/g;
const whole = new RegExp(`^${placeholder.source}$`);

export type BodyContext = {
  readonly entry: JournalEntry;
  readonly deliveryId: string;
  readonly webhookName: string;
};

const values: Readonly<Record<string, (context: BodyContext) => unknown>> = {
  id: ({entry}) => entry.id,
  position: ({entry}) => entry.position,
  time: ({entry}) => entry.time.toISOString(),
  type: ({entry}) => entry.type,
  actor: ({entry}) => entry.actor,
  machine_id: ({entry}) => entry.machineId ?? '',
  subject: ({entry}) => entry.subject,
  data: ({entry}) => dataOf(entry),
  event: ({entry}) => eventOf(entry),
  delivery_id: ({deliveryId}) => deliveryId,
  webhook: ({webhookName}) => webhookName,
};
const names = Object.keys(values).join(', ');

/** As REST shows it. */
const eventOf = (entry: JournalEntry) => ({
  id: entry.id,
  position: entry.position,
  time: entry.time.toISOString(),
  type: entry.type,
  actor: entry.actor,
  machine_id: entry.machineId ?? '',
  subject: entry.subject,
  data: dataOf(entry),
});

/** Throws invalid_argument that says what is wrong. A template runs nothing: it names values, that is all. */
export function checkTemplate(template: string, contentType: string): void {
  if (template === '') {
    if (!isJson(contentType))
      throw invalid(`content type "${contentType}" needs a template: without one the body is JSON`);
    return;
  }
  for (const [, path = ''] of template.matchAll(placeholder)) {
    const [name = '', ...rest] = path.split('.');
    if (!Object.hasOwn(values, name)) throw invalid(`"{{${path}}}" is unknown: there is ${names}`);
    if (rest.length > 0 && name !== 'data' && name !== 'event')
      throw invalid(`"{{${path}}}" is unknown: only data and event have fields`);
  }
  const left = /\{\{.{0,40}/s.exec(template.replaceAll(placeholder, ''))?.[0];
  if (left !== undefined)
    throw invalid(`"${left}" is no placeholder: write {{type}} or {{data.reason}}`);
  if (isJson(contentType)) checkJson(template);
}

function checkJson(template: string): void {
  const problem = 'of a JSON content type it is JSON, with placeholders inside of strings';
  let parsed: unknown;
  try {
    parsed = JSON.parse(template);
  } catch (error) {
    throw invalid(`${problem}: ${error instanceof Error ? error.message : ''}`);
  }
  if (hasPlaceholderName(parsed, 0)) throw invalid(`${problem}, not in names of fields`);
}

function hasPlaceholderName(value: unknown, depth: number): boolean {
  if (depth > depthMax) throw invalid(`it nests more than ${depthMax} deep`);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(
    ([name, item]) => name.includes('{{') || hasPlaceholderName(item, depth + 1),
  );
}

/** Values are escaped as the content type needs it, so no event can break out of its place. Throws invalid_argument when it grows too large. */
export function renderBody(template: string, contentType: string, context: BodyContext): string {
  const body = render(template, contentType, context);
  if (Buffer.byteLength(body) > bodyBytesMax)
    throw invalid(`the body would have more than ${bodyBytesMax} bytes`);
  return body;
}

function render(template: string, contentType: string, context: BodyContext): string {
  if (template === '') return JSON.stringify(eventOf(context.entry));
  if (isJson(contentType)) return JSON.stringify(fill(JSON.parse(template), context));
  const escape = escapeFor(contentType);
  return template.replaceAll(placeholder, (_, path: string) => escape(textAt(path, context)));
}

/** A string that is one placeholder becomes the value as it is: a number, an object, null when there is none. */
function fill(value: unknown, context: BodyContext): unknown {
  if (typeof value === 'string') {
    const path = whole.exec(value)?.[1];
    if (path !== undefined) return valueAt(path, context) ?? null;
    return value.replaceAll(placeholder, (_, path: string) => textAt(path, context));
  }
  if (Array.isArray(value)) return value.map(item => fill(item, context));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, fill(item, context)]),
  );
}

function valueAt(path: string, context: BodyContext): unknown {
  const [name = '', ...rest] = path.split('.');
  let value = Object.hasOwn(values, name) ? values[name]?.(context) : undefined;
  for (const step of rest) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step))
      return undefined;
    value = (value as Readonly<Record<string, unknown>>)[step];
  }
  return value;
}

function textAt(path: string, context: BodyContext): string {
  const value = valueAt(path, context);
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const isJson = (contentType: string) => /^application\/([a-z0-9.-]+\+)?json\b/.test(contentType);

function escapeFor(contentType: string): (text: string) => string {
  if (contentType.startsWith('application/x-www-form-urlencoded')) return encodeURIComponent;
  if (/[/+](xml|html)\b/.test(contentType))
    return text => text.replaceAll(/[&<>"']/g, found => `&#${found.charCodeAt(0)};`);
  return text => text;
}

const invalid = (problem: string) =>
  new DomainError('invalid_argument', `Cannot use the template: ${problem}`);
