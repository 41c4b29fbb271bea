import {
  type DescField,
  type DescMessage,
  fromJson,
  type JsonObject,
  type JsonValue,
  type Message,
  ScalarType,
} from '@bufbuild/protobuf';
import {DomainError} from '../errors.ts';
import {enumIn, fieldMaskType, fromDialect, isObject} from './rest-json.ts';
import {fieldAt, findField, type Route} from './rest-routes.ts';

/** One REST request, taken apart. `variables` are the raw (still percent-encoded) texts of the path. */
export type RestRequest = {
  readonly variables: readonly string[];
  readonly query: URLSearchParams;
  /** Empty when there is none. */
  readonly body: string;
};

/** The request message of a REST request. Throws DomainError "invalid_argument" that names what is wrong. */
export function readInput(route: Route, {variables, query, body}: RestRequest): Message {
  const {input} = route.handler.method;
  const json = readBody(route, input, body);
  const bound = new Set(route.template.variables);
  for (const [index, name] of route.template.variables.entries())
    set(input, json, name, [decode(variables[index] ?? '')]);

  for (const name of new Set(query.keys())) {
    const path = queryPath(input, name);
    if (!path || bound.has(path) || route.body === '*')
      throw invalid(`unknown query parameter "${name}"`);
    if (typeof route.body === 'object' && path.split('.')[0] === route.body.name)
      throw invalid(`"${name}" belongs into the body, not into the query`);
    set(input, json, path, query.getAll(name));
  }

  try {
    return fromJson(input, json);
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : String(error), error);
  }
}

function readBody(route: Route, input: DescMessage, body: string): JsonObject {
  if (route.body === undefined) return {};

  const parsed = body.trim() === '' ? {} : parseJson(body);
  if (route.body === '*') return objectOf(fromDialect(input, parsed));

  const field = route.body;
  // A complaint names fields as they stand in the body, which is the field itself.
  const json: JsonObject = field.message
    ? {[field.jsonName]: fromDialect(field.message, parsed)}
    : objectOf(fromDialect(input, {[field.name]: parsed}));
  const mask = findMask(route, input);
  if (mask && isObject(parsed)) json[mask.jsonName] = presentFields(route, field, parsed);
  return json;
}

/** The field `update_mask` of an update, when there is one. */
function findMask({verb}: Route, input: DescMessage): DescField | undefined {
  if (verb !== 'PUT' && verb !== 'PATCH') return undefined;
  const field = findField(input, 'update_mask');
  return field?.message?.typeName === fieldMaskType ? field : undefined;
}

/** PUT and PATCH change only the fields that are present; those that the path names are no change. */
function presentFields(route: Route, resource: DescField, body: JsonObject): string {
  const {message} = resource;
  if (!message) return '';
  return Object.keys(body)
    .map(name => findField(message, name))
    .filter(field => field !== undefined)
    .filter(field => !route.template.variables.includes(`${resource.name}.${field.name}`))
    .map(field => field.jsonName)
    .join(',');
}

/** The parameter's path in proto names, when the request message has such a field. */
function queryPath(input: DescMessage, name: string): string | undefined {
  try {
    return fieldAt(input, name)
      .map(field => field.name)
      .join('.');
  } catch {
    // The caller says which parameter is unknown.
    return undefined;
  }
}

function set(input: DescMessage, json: JsonObject, path: string, texts: readonly string[]): void {
  const fields = fieldAt(input, path);
  const leaf = fields.at(-1);
  if (!leaf) return;

  let scope = json;
  for (const {jsonName} of fields.slice(0, -1)) {
    const inner = scope[jsonName];
    scope = scope[jsonName] = inner !== undefined && isObject(inner) ? inner : {};
  }
  if (leaf.fieldKind === 'list') {
    scope[leaf.jsonName] = texts.map(text => valueOf(leaf, text, path));
    return;
  }
  const [text = ''] = texts;
  if (texts.length > 1) throw invalid(`"${path}" is given ${texts.length} times`);
  scope[leaf.jsonName] = valueOf(leaf, text, path);
}

/** Numbers stay texts: proto-JSON reads them from strings, 64-bit ones exactly. */
function valueOf(field: DescField, text: string, path: string): JsonValue {
  if (field.fieldKind === 'map' || (field.message && !isTextual(field.message)))
    throw invalid(`"${path}" cannot be given as a parameter`);
  if (field.message) return fromDialect(field.message, text, path);
  if (field.enum) return enumIn(field.enum, text, path);
  if (field.scalar !== ScalarType.BOOL) return text;
  if (text !== 'true' && text !== 'false') throw invalid(`"${path}" must be "true" or "false"`);
  return text === 'true';
}

/** Messages whose JSON is one string. */
export const isTextual = ({typeName}: DescMessage) =>
  ['Timestamp', 'Duration', 'FieldMask'].some(name => typeName === `google.protobuf.${name}`);

function parseJson(body: string): JsonValue {
  try {
    return JSON.parse(body) as JsonValue;
  } catch (error) {
    throw invalid(`the body is not JSON: ${error instanceof Error ? error.message : ''}`, error);
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw invalid(`the path holds a malformed percent-encoding "${text}"`, error);
  }
}

function objectOf(value: JsonValue): JsonObject {
  if (!isObject(value)) throw invalid('the body must be a JSON object');
  return value;
}

const invalid = (problem: string, cause?: unknown) =>
  new DomainError('invalid_argument', `Cannot read the request: ${problem}`, {cause});
