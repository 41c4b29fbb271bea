import type {JsonObject} from '@bufbuild/protobuf';

// Mirrors server/domain/webhook-template.ts, so that the form can show the body before it is saved; the server checks again.
const placeholder = /\{\{\s*([a-z_]+(?:\.[A-Za-z0-9_-]{1,64}){0,16})\s*\}\}/g;
const whole = new RegExp(`^${placeholder.source}$`);
const names = [
  'id',
  'position',
  'time',
  'type',
  'actor',
  'machine_id',
  'subject',
  'data',
  'event',
  'delivery_id',
  'webhook',
] as const;

/** As REST shows an event. */
export type SampleEvent = {
  readonly id: string;
  readonly position: number;
  readonly time: string;
  readonly type: string;
  readonly actor: string;
  readonly machine_id: string;
  readonly subject: string;
  readonly data: JsonObject;
};

export type Preview = {readonly body: string} | {readonly mistake: string};

type Template = {
  readonly template: string;
  readonly contentType: string;
  readonly webhook: string;
};

export function previewBody(
  {template, contentType, webhook}: Template,
  event: SampleEvent,
): Preview {
  const type = contentType || 'application/json';
  if (template === '')
    return isJson(type)
      ? {body: JSON.stringify(event, null, 2)}
      : {mistake: `${type} needs a template: without one the body is JSON`};
  const mistake = findMistake(template);
  if (mistake !== undefined) return {mistake};
  const context: Readonly<Record<string, unknown>> = {
    ...event,
    event,
    webhook,
    delivery_id: '0198c0de-0000-7000-8000-00000000d001',
  };
  if (!isJson(type)) {
    const escape = escapeFor(type);
    return {
      body: template.replaceAll(placeholder, (_, path: string) => escape(textAt(path, context))),
    };
  }
  try {
    return {body: JSON.stringify(fill(JSON.parse(template), context), null, 2)};
  } catch (error) {
    const problem = error instanceof Error ? error.message : '';
    return {mistake: `It is no JSON, with placeholders inside of strings: ${problem}`};
  }
}

function findMistake(template: string): string | undefined {
  for (const [, path = ''] of template.matchAll(placeholder)) {
    const [name = '', ...rest] = path.split('.');
    if (!names.some(known => known === name))
      return `“{{${path}}}” is unknown: there is ${names.join(', ')}`;
    if (rest.length > 0 && name !== 'data' && name !== 'event')
      return `“{{${path}}}” is unknown: only data and event have fields`;
  }
  const left = /\{\{.{0,40}/s.exec(template.replaceAll(placeholder, ''))?.[0];
  return left === undefined
    ? undefined
    : `“${left}” is no placeholder: write {{type}} or {{data.reason}}`;
}

function fill(value: unknown, context: Readonly<Record<string, unknown>>): unknown {
  if (typeof value === 'string') {
    const path = whole.exec(value)?.[1];
    if (path !== undefined) return valueAt(path, context) ?? null;
    return value.replaceAll(placeholder, (_, path: string) => textAt(path, context));
  }
  if (Array.isArray(value)) return value.map(item => fill(item, context));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      if (name.includes('{{')) throw new Error('not in names of fields');
      return [name, fill(item, context)];
    }),
  );
}

function valueAt(path: string, context: Readonly<Record<string, unknown>>): unknown {
  let value: unknown = context;
  for (const step of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step))
      return undefined;
    value = Object.entries(value).find(([name]) => name === step)?.[1];
  }
  return value;
}

function textAt(path: string, context: Readonly<Record<string, unknown>>): string {
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
