import {type DescMethod, getOption, type JsonObject} from '@bufbuild/protobuf';
import {Code} from '@connectrpc/connect';
import {codeToHttpStatus} from '@connectrpc/connect/protocol-connect';
import {comments} from '@muster/proto/gen/comments.ts';
import {
  permission,
  PermissionSchema,
  workspace_scope as workspaceScope,
  WorkspaceScope,
  WorkspaceScopeSchema,
} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {allowedRoles, isOpen} from '../rpc/permissions.ts';
import {parametersOf, pathOf, requestBodyOf} from './openapi-requests.ts';
import type {Schema} from './openapi-rules.ts';
import {createSchemas, described, type Schemas} from './openapi-schemas.ts';
import {codeName} from './replies.ts';
import {lowerName} from './rest-json.ts';
import {findField, type Route} from './rest-routes.ts';

const codes = Object.values(Code).filter(code => typeof code === 'number');

/** What rest.ts does with every request and answer. */
const dialect = `REST of Muster, from the same contract as its gRPC, Connect and gRPC-Web methods, on the same port.

- Names of fields and parameters are snake_case; requests may also write them in camelCase.
- Values of enums are lower case without their prefix: \`STATE_READY\` is \`ready\`.
- 64-bit integers are numbers while JSON keeps them exact (below 2^53), else strings; requests may always send strings. \`NaN\`, \`Infinity\` and \`-Infinity\` are strings.
- Times are RFC 3339 in UTC, bytes base64.
- An answer carries every field that has a default. Absent are only objects that are not set and fields marked optional.
- A request may leave out every field that is not required; \`null\` is the same. Unknown fields and parameters are refused, bodies over 4 MiB too.
- \`PUT\` and \`PATCH\` change only the fields that are present. Where a method has \`update_mask\`, naming it in the query decides instead: a field in the mask and not in the body is emptied.
- A list is an array; the header \`Next-Page-Token\` has the \`page_token\` of the next page, when there is one. With \`count_total\`, \`Total-Size\` has the count; \`Total-Estimated: true\` says that it is an estimate.
- A stream is one JSON object a line, or server-sent events with \`Accept: text/event-stream\`. An error after the first message is the last object, in events one named \`error\`. Where a stream has positions they are the ids of its events, and \`Last-Event-ID\` goes on after one.
- \`HEAD\` is answered wherever \`GET\` is. A known path with another verb is 405 with \`Allow\`.

Errors are \`{"error": {"code", "message", "details"}}\`; the status follows from the code: ${codes
  .map(code => `\`${codeName(code)}\` ${codeToHttpStatus(code)}`)
  .join(
    ', ',
  )}. A body that is too large is \`resource_exhausted\` with 413, an unknown verb \`unimplemented\` with 405.`;

/** How a caller can prove who it is; each proof opens the same methods. */
const securitySchemes = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description: 'The `token` of Login, or of another way to sign in.',
  },
} satisfies JsonObject;

/** The OpenAPI 3.1 document of these routes. */
export function describeApi(routes: readonly Route[], version: string): JsonObject {
  const schemas = createSchemas();
  const paths: Record<string, JsonObject> = {};
  const ids = new Set<string>();
  for (const route of [...routes].sort(byPath)) {
    const {path, names} = pathOf(route.template);
    const id = idOf(route, ids);
    // Two templates that differ in the names of their variables only are one path.
    paths[path] = {
      ...paths[path],
      [route.verb.toLowerCase()]: operationOf(route, {id, names, schemas}),
    };
  }
  const services = new Set(routes.map(({handler}) => handler.service));
  const tags = [...services].map(({name, typeName}) => ({
    name: tagOf(name),
    ...described(typeName),
  }));
  return {
    openapi: '3.1.1',
    info: {
      title: 'Muster',
      version,
      description: dialect,
      license: {name: 'Apache License 2.0', identifier: 'Apache-2.0'},
    },
    servers: [{url: '/'}],
    tags: tags.sort((a, b) => (a.name < b.name ? -1 : 1)),
    paths,
    components: {
      schemas: {...sorted(schemas.components), Error: errorSchema},
      responses: {Error: refusal('The call was refused or failed.'), ...authenticationRefusals},
      securitySchemes,
    },
  };
}

const verbOrder = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

function byPath(a: Route, b: Route): number {
  const [first, second] = [a.template.shape, b.template.shape];
  if (first !== second) return first < second ? -1 : 1;
  return verbOrder.indexOf(a.verb) - verbOrder.indexOf(b.verb);
}

const sorted = (components: Readonly<Record<string, Schema>>) =>
  Object.fromEntries(Object.entries(components).sort(([a], [b]) => (a < b ? -1 : 1)));

/** The method's name is the id of its first route; every id is there once. */
function idOf({handler, isFirst, verb}: Route, taken: Set<string>): string {
  const base = isFirst ? handler.method.name : `${handler.method.name}_${verb.toLowerCase()}`;
  let id = base;
  for (let number = 2; taken.has(id); number += 1) id = `${base}_${number}`;
  taken.add(id);
  return id;
}

function operationOf(
  route: Route,
  {
    id,
    names,
    schemas,
  }: {readonly id: string; readonly names: readonly string[]; readonly schemas: Schemas},
): JsonObject {
  const {method} = route.handler;
  const open = isOpen(method);
  const needed = lowerName(PermissionSchema, permissionOf(method));
  const body = requestBodyOf(route, schemas);
  return {
    operationId: id,
    tags: [tagOf(method.parent.name)],
    summary: sentenceOf(method.name),
    ...described(`${method.parent.typeName}.${method.name}`, whoMay(method, open)),
    'x-muster-rpc': `${method.parent.typeName}/${method.name}`,
    'x-muster-permission': needed,
    'x-muster-workspace-scope': lowerName(WorkspaceScopeSchema, scopeOf(method)),
    security: open ? [] : Object.keys(securitySchemes).map(name => ({[name]: [needed]})),
    parameters: [...parametersOf(route, names, schemas)],
    ...(body ? {requestBody: body} : {}),
    responses: {
      '200': answerOf(route, schemas),
      ...(open ? {} : {'401': responseRef('Unauthenticated'), '403': responseRef('Forbidden')}),
      default: responseRef('Error'),
    },
  };
}

/** "MachineService" is about "Machine". */
const tagOf = (serviceName: string) => serviceName.replace(/(?<=.)Service$/, '');

/** "ListBootSessions" → "List boot sessions" */
function sentenceOf(name: string): string {
  const words = name.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, ' ').toLowerCase();
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

function whoMay(method: DescMethod, open: boolean): string {
  if (!open) return `For: ${allowedRoles(method).join(', ')}.${inWorkspaces(method)}`;
  const comment = comments[`${PermissionSchema.typeName}.${permissionOf(method)}`] ?? '';
  return `For: ${comment.replace(/^[A-Z]/, letter => letter.toLowerCase())}`;
}

/** Of a method without one a role in a workspace is worth nothing. */
const scopeSentences: Readonly<Record<number, string>> = {
  [WorkspaceScope.MACHINES]: ' A role in a workspace counts for what is there.',
  [WorkspaceScope.SHARED]: ' A role in a workspace counts.',
  [WorkspaceScope.OWN]: ' Members of workspaces, too.',
};

const inWorkspaces = (method: DescMethod): string =>
  scopeSentences[getOption(method, workspaceScope)] ?? ' Everywhere, not in a workspace only.';

const scopeOf = (method: DescMethod): string =>
  WorkspaceScopeSchema.value[getOption(method, workspaceScope)]?.name ?? '';

const permissionOf = (method: DescMethod): string =>
  PermissionSchema.value[getOption(method, permission)]?.name ?? '';

function answerOf({handler, responseBody}: Route, schemas: Schemas): JsonObject {
  const {output, methodKind} = handler.method;
  const schema = responseBody
    ? schemas.ofField(responseBody, 'output')
    : schemas.ofMessage(output, 'output');
  if (methodKind !== 'unary') return streamOf(schema);

  const isPage = responseBody && findField(output, 'next_page_token');
  const header = {
    description: 'The `page_token` of the next page; absent on the last.',
    schema: {type: 'string'},
  };
  const totals = findField(output, 'total_size') ? totalHeaders : {};
  return {
    description:
      described(output.typeName).description ??
      described(responseBody?.message?.typeName ?? '').description ??
      'OK',
    ...(isPage ? {headers: {'Next-Page-Token': header, ...totals}} : {}),
    content: {'application/json': {schema}},
  };
}

const totalHeaders = {
  'Total-Size': {
    description: 'How many match in all; with `count_total`.',
    schema: {type: 'integer'},
  },
  'Total-Estimated': {
    description: '`true` when that is an estimate.',
    schema: {type: 'boolean'},
  },
};

/** OpenAPI 3.1 has no word for a sequence: the schema is that of one item. */
function streamOf(schema: Schema): JsonObject {
  const item = {anyOf: [schema, {$ref: '#/components/schemas/Error'}]};
  return {
    description:
      'A stream of these objects, one a line or one an event, until the client leaves or the subject ends.',
    'x-muster-stream': true,
    content: {'application/x-ndjson': {schema: item}, 'text/event-stream': {schema: item}},
  };
}

const responseRef = (name: string) => ({$ref: `#/components/responses/${name}`});

const refusal = (description: string): JsonObject => ({
  description,
  content: {'application/json': {schema: {$ref: '#/components/schemas/Error'}}},
});

const authenticationRefusals: JsonObject = {
  Unauthenticated: {
    ...refusal('No token, or one that is not accepted (any more).'),
    headers: {'WWW-Authenticate': {description: 'What to send.', schema: {type: 'string'}}},
  },
  Forbidden: refusal('The token is good, but its role may not do this; the message names who may.'),
};

const errorSchema: Schema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message', 'details'],
      properties: {
        code: {type: 'string', enum: codes.map(codeName)},
        message: {
          type: 'string',
          description: 'What was attempted, what is in the way and what to do.',
        },
        details: {
          type: 'array',
          description: 'For programs: `buf.validate.Violations` names each broken rule.',
          items: {
            type: 'object',
            required: ['type'],
            properties: {
              type: {type: 'string', description: 'Name of the message.'},
              value: {description: 'The message; base64 of its bytes when its type is unknown.'},
            },
          },
        },
      },
    },
  },
};
