import {type DescMethod, getOption, hasOption} from '@bufbuild/protobuf';
import {nestedTypes} from '@bufbuild/protobuf/reflect';
import {createConnectRouter} from '@connectrpc/connect';
import {comments} from '@muster/proto/gen/comments.ts';
import {http} from '@muster/proto/gen/google/api/annotations_pb.ts';
import {
  permission,
  PermissionSchema,
  workspace_scope as workspaceScope,
  WorkspaceScopeSchema,
} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {Validator} from '@seriousme/openapi-schema-validator';
import test from 'ava';
import {contractFiles, contractServices} from '../../test/helpers/contract.ts';
import {describeApi} from './openapi.ts';
import {compileRoutes} from './rest-routes.ts';

type Schema = {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly [keyword: string]: unknown;
};
type Operation = {
  readonly operationId: string;
  readonly description?: string;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters: readonly {readonly name: string; readonly in: string; schema: Schema}[];
  readonly requestBody?: {readonly content: Readonly<Record<string, {readonly schema: Schema}>>};
  readonly [key: string]: unknown;
};
type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {readonly schemas: Readonly<Record<string, Schema>>};
};

async function describe() {
  const router = createConnectRouter();
  for (const service of await contractServices()) router.service(service, {});
  return describeApi(compileRoutes(router.handlers), '1.2.3');
}

const document = (await describe()) as unknown as Document;
const operations = Object.entries(document.paths).flatMap(([path, verbs]) =>
  Object.entries(verbs).map(([verb, operation]) => ({
    route: `${verb} ${path.replaceAll(/\{[^}]*\}/g, '{}')}`,
    path,
    operation,
  })),
);

/** `get /api/v1/machines/{}` of every HTTP rule, read from the options without our own compiler. */
function routesOf(method: DescMethod): readonly string[] {
  if (!hasOption(method, http)) return [];
  const rule = getOption(method, http);
  return [rule, ...rule.additionalBindings].map(
    ({pattern: {case: verb, value}}) =>
      `${verb} ${typeof value === 'string' ? value.replaceAll(/\{[^}]*\}/g, '{}') : ''}`,
  );
}

test('an independent validator accepts the document', async t => {
  const result = await new Validator().validate(structuredClone(document));
  t.deepEqual(result.errors ?? [], []);
  t.true(result.valid);
  // It does look: a document with a broken operation is refused.
  const broken = {...structuredClone(document), paths: {'/x': {get: {responses: []}}}};
  t.false((await new Validator().validate(broken)).valid);
});

test('every REST route of the contract is in it, and no other', async t => {
  const methods = (await contractServices()).flatMap(service => service.methods);
  const expected = methods.flatMap(routesOf).sort();
  t.true(expected.length > 30);
  t.deepEqual(operations.map(({route}) => route).sort(), expected);

  for (const method of methods)
    for (const route of routesOf(method)) {
      const operation = operations.find(entry => entry.route === route)?.operation;
      t.is(operation?.['x-muster-rpc'], `${method.parent.typeName}/${method.name}`);
      const needed = PermissionSchema.value[getOption(method, permission)]?.name ?? '';
      t.is(`PERMISSION_${String(operation?.['x-muster-permission']).toUpperCase()}`, needed);
      const scope = WorkspaceScopeSchema.value[getOption(method, workspaceScope)]?.name;
      const told = String(operation?.['x-muster-workspace-scope']).toUpperCase();
      t.is(scope, `WORKSPACE_SCOPE_${told}`);
      const open = ['PERMISSION_PUBLIC', 'PERMISSION_AGENT'].includes(needed);
      t.is(operation?.security.length === 0, open, route);
    }
});

test('ids of operations are unique, and each variable of a path is one parameter', t => {
  const ids = operations.map(({operation}) => operation.operationId);
  t.is(new Set(ids).size, ids.length);
  for (const {path, operation} of operations) {
    const variables = [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name);
    const declared = operation.parameters.filter(parameter => parameter.in === 'path');
    t.deepEqual(
      declared.map(({name}) => name),
      variables,
    );
    const keys = operation.parameters.map(parameter => `${parameter.in} ${parameter.name}`);
    t.is(new Set(keys).size, keys.length, path);
  }
});

test('the comments of the contract are the descriptions', async t => {
  const byRpc = new Map(
    operations.map(({operation}) => [operation['x-muster-rpc'], operation.description ?? '']),
  );
  const {schemas} = document.components;
  let seen = 0;
  for (const file of await contractFiles())
    for (const type of nestedTypes(file)) {
      const members = type.kind === 'service' ? type.methods : [];
      for (const method of members) {
        const comment = comments[`${type.typeName}.${method.name}`];
        const description = byRpc.get(`${type.typeName}/${method.name}`);
        if (comment === undefined || description === undefined) continue;
        t.true(description.startsWith(comment), method.name);
        seen += 1;
      }
      const schema = schemas[type.typeName.replace('muster.v1.', '')];
      if (type.kind !== 'message' || !schema) continue;
      for (const field of type.fields)
        t.is(
          schema.properties?.[field.name]?.description,
          comments[`${type.typeName}.${field.name}`],
        );
    }
  t.true(seen > 10);
  t.regex(schemas['Machine.Presence']?.description ?? '', /^- `unknown`: The server itself was/m);
});

test('rules of the contract are keywords, and only a request promises them', t => {
  const {schemas} = document.components;
  t.deepEqual(schemas['CreateUserRequest'], {
    type: 'object',
    properties: {
      username: {type: 'string', pattern: '^[a-z0-9][a-z0-9._-]{0,62}$'},
      email: {type: 'string', maxLength: 254},
      password: {type: 'string', minLength: 10, maxLength: 1024, 'x-muster-secret': true},
      role: {$ref: '#/components/schemas/User.Role', not: {enum: ['unspecified']}},
    },
    required: ['username', 'password', 'role'],
    additionalProperties: false,
  });
  t.like(schemas['MachineInput']?.properties, {
    mac_addresses: {type: 'array', items: {type: 'string', maxLength: 32}, maxItems: 256},
  });
  t.deepEqual(schemas['Machine']?.properties?.['mac_addresses'], {
    type: 'array',
    items: {type: 'string'},
  });
  t.deepEqual(document.paths['/api/v1/machines']?.['get']?.parameters[0], {
    name: 'page_size',
    in: 'query',
    description: '0 is 50; at most 1000.',
    schema: {type: 'integer', format: 'int32', minimum: 0, maximum: 1000},
  });
});

test('what the path holds is neither in the body nor in the query', t => {
  const override = document.paths['/api/v1/machines/{machine_id}/boot-override'];
  const body = override?.['put']?.requestBody?.content['application/json']?.schema;
  t.deepEqual(Object.keys(body?.properties ?? {}), ['action', 'image_id', 'persistent']);
  t.deepEqual(
    override?.['delete']?.parameters.map(parameter => `${parameter.in} ${parameter.name}`),
    ['path machine_id', 'query persistent'],
  );
  t.is(document.paths['/api/v1/builds/{id}/cancel']?.['post']?.requestBody, undefined);
});

test('every pattern is one that JSON Schema knows, and every reference leads somewhere', t => {
  const text = JSON.stringify(document);
  const patterns = [...text.matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)];
  t.true(patterns.length > 5);
  for (const [, pattern = '""'] of patterns)
    t.notThrows(() => new RegExp(JSON.parse(pattern) as string, 'u'), pattern);
  for (const [, name = ''] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
    t.true(name in document.components.schemas, name);
});
