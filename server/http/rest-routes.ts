import {type DescField, type DescMessage, getOption, hasOption} from '@bufbuild/protobuf';
import type {UniversalHandler} from '@connectrpc/connect/protocol';
import {http} from '@muster/proto/gen/google/api/annotations_pb.ts';
import type {HttpRule} from '@muster/proto/gen/google/api/http_pb.ts';
import {compareShapes, compileTemplate, type PathTemplate} from './rest-template.ts';

export type Verb = 'GET' | 'PUT' | 'POST' | 'DELETE' | 'PATCH';

export type Route = {
  readonly verb: Verb;
  /** The first route of its method, not one of the additional bindings. */
  readonly isFirst: boolean;
  readonly template: PathTemplate;
  readonly handler: UniversalHandler;
  /** "*": the whole request; a field: that field; undefined: no body is read. */
  readonly body: '*' | DescField | undefined;
  /** What of the response is the answer; undefined: all of it. */
  readonly responseBody: DescField | undefined;
};

const verbs: Readonly<Record<string, Verb>> = {
  get: 'GET',
  put: 'PUT',
  post: 'POST',
  delete: 'DELETE',
  patch: 'PATCH',
};

/** The REST routes of every served method, most exact first. Throws when two clash or when a rule names a field that is not there. */
export function compileRoutes(handlers: readonly UniversalHandler[]): readonly Route[] {
  const routes = handlers.flatMap(handler => {
    if (!hasOption(handler.method, http)) return [];
    const rule = getOption(handler.method, http);
    return [rule, ...rule.additionalBindings].map((binding, index) => ({
      ...compileRoute(handler, binding),
      isFirst: index === 0,
    }));
  });

  const seen = new Map<string, string>();
  for (const {verb, template, handler} of routes) {
    const key = `${verb} ${template.shape}`;
    const name = handler.method.toString();
    const other = seen.get(key);
    if (other) throw new Error(`Cannot serve REST: ${other} and ${name} both claim ${key}`);
    seen.set(key, name);
  }
  return routes.sort((a, b) => compareShapes(a.template.shape, b.template.shape));
}

function compileRoute(handler: UniversalHandler, rule: HttpRule): Omit<Route, 'isFirst'> {
  const {method} = handler;
  const verb = verbs[rule.pattern.case ?? ''];
  if (!verb || typeof rule.pattern.value !== 'string')
    throw new Error(`Cannot serve ${method.toString()}: its HTTP rule has no known verb`);
  if (method.methodKind !== 'unary' && method.methodKind !== 'server_streaming')
    throw new Error(`Cannot serve ${method.toString()} over REST: it is a client stream`);

  const template = compileTemplate(rule.pattern.value);
  for (const variable of template.variables) {
    const leaf = fieldAt(method.input, variable).at(-1);
    if (leaf?.fieldKind !== 'scalar' && leaf?.fieldKind !== 'enum')
      throw new Error(`Cannot serve ${method.toString()}: "${variable}" is no single value`);
  }
  return {
    verb,
    template,
    handler,
    body:
      rule.body === '' || rule.body === '*'
        ? rule.body || undefined
        : only(method.input, rule.body),
    responseBody: rule.responseBody ? only(method.output, rule.responseBody) : undefined,
  };
}

function only(message: DescMessage, name: string): DescField {
  const field = findField(message, name);
  if (!field) throw new Error(`Cannot serve REST: ${message.typeName} has no field "${name}"`);
  return field;
}

/** By proto name or by JSON name. */
export function findField(message: DescMessage, name: string): DescField | undefined {
  return message.fields.find(field => field.name === name || field.jsonName === name);
}

/** The fields from a message down a dotted path; throws when one is not there. */
export function fieldAt(message: DescMessage, path: string): readonly DescField[] {
  const found: DescField[] = [];
  let scope: DescMessage | undefined = message;
  for (const name of path.split('.')) {
    const field: DescField | undefined = scope && findField(scope, name);
    if (!field) throw new Error(`${message.typeName} has no field "${path}"`);
    found.push(field);
    scope = field.fieldKind === 'message' ? field.message : undefined;
  }
  return found;
}
