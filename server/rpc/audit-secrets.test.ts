import {randomUUID} from 'node:crypto';
import {readdirSync} from 'node:fs';
import {
  create,
  type DescField,
  type DescFile,
  type DescMessage,
  type DescMethodUnary,
  type Message,
  ScalarType,
} from '@bufbuild/protobuf';
import {ValueSchema} from '@bufbuild/protobuf/wkt';
import {reflect, scalarZeroValue} from '@bufbuild/protobuf/reflect';
import type {ConnectRouter} from '@connectrpc/connect';
import test from 'ava';
import {serve} from '../../test/helpers/one-port.ts';
import {startPostgres} from '../../test/helpers/postgres.ts';
import {placeWaitingAudit} from '../domain/audit-chain.ts';
import {createAuditRecorder} from '../domain/audit-recorder.ts';
import {appendEvent} from '../store/events.ts';
import {isSecretField, maskMessage} from './mask-message.ts';

const marker = 'mArKeR-of-a-secret';
const depthMax = 6;
const textValue = {kind: {case: 'stringValue', value: 'plain'}} as const;
const folder = new URL('../../proto/gen/muster/v1/', import.meta.url);

async function contract(): Promise<readonly DescFile[]> {
  const modules = await Promise.all(
    readdirSync(folder).map(name => import(new URL(name, folder).href) as Promise<object>),
  );
  return modules
    .flatMap(module => Object.entries(module))
    .filter(([name]) => name.startsWith('file_'))
    .map(([, file]) => file as DescFile);
}

const withNested = (message: DescMessage): readonly DescMessage[] => [
  message,
  ...message.nestedMessages.flatMap(withNested),
];

/** Every field set, at every depth; the secret ones with the marker. `found` takes the secrets on the way. */
function fill(schema: DescMessage, found: Set<string>, depth = 0): Message {
  const message = create(schema);
  // A Value must be one of its kinds.
  if (schema.typeName === ValueSchema.typeName) return create(ValueSchema, textValue);
  if (schema.typeName.startsWith('google.protobuf.')) return message;
  const view = reflect(schema, message);
  for (const field of schema.fields) {
    if (depth >= depthMax && field.fieldKind !== 'scalar') continue;
    if (isSecretField(field)) found.add(`${schema.typeName}.${field.name}`);
    if (field.fieldKind === 'scalar') view.set(field, scalar(field, field.scalar));
    else if (field.fieldKind === 'enum') view.set(field, field.enum.values.at(-1)?.number ?? 0);
    else if (field.fieldKind === 'message')
      view.set(field, reflect(field.message, fill(field.message, found, depth + 1)));
    else if (field.fieldKind === 'list') {
      const item = field.message
        ? reflect(field.message, fill(field.message, found, depth + 1))
        : field.enum
          ? (field.enum.values.at(-1)?.number ?? 0)
          : scalar(field, field.scalar ?? ScalarType.STRING);
      view.get(field).add(item);
    } else if (field.mapKey === ScalarType.STRING && field.mapKind === 'scalar')
      view.get(field).set('key', scalar(field, field.scalar));
  }
  return message;
}

function scalar(field: DescField, type: ScalarType) {
  const text = isSecretField(field) ? marker : 'plain';
  if (type === ScalarType.STRING) return text;
  if (type === ScalarType.BYTES) return new TextEncoder().encode(text);
  return scalarZeroValue(type, false);
}

const holds = (text: string): boolean =>
  text.includes(marker) || text.includes(Buffer.from(marker).toString('base64').slice(0, 16));

test('no message of the contract, filled with secrets, shows one when it is masked', async t => {
  const messages = (await contract()).flatMap(file => file.messages.flatMap(withNested));
  const secrets = new Set<string>();
  for (const schema of messages) {
    const text = JSON.stringify(maskMessage(schema, fill(schema, secrets)));
    t.false(holds(text), `${schema.typeName}: ${text}`);
  }
  t.true(messages.length > 100);
  for (const known of [
    'LoginRequest.password',
    'JoinServiceRequest.code',
    'CreateSetupLinkResponse.path',
    'EnrollAgentRequest.boot_token',
  ])
    t.true(secrets.has(`muster.v1.${known}`), known);
});

test('secrets sent to every method, refused, failed or done, are nowhere in the table', async t => {
  await using postgres = await startPostgres();
  const {sql} = postgres;
  let time = Date.now();
  // Each call in a minute of its own: none is only counted.
  const now = () => new Date((time += 61_000));
  const {record} = createAuditRecorder({sql, now, newId: () => randomUUID()});
  const methods = (await contract())
    .flatMap(file => file.services)
    .flatMap(service => service.methods)
    .filter((method): method is DescMethodUnary => method.methodKind === 'unary');

  const routes = (router: ConnectRouter) => {
    for (const method of methods)
      router.rpc(method, async request => {
        await appendEvent(sql, {
          id: randomUUID(),
          time: now(),
          type: 'test.changed',
          actor: 'system',
          change: {after: {password: marker, nested: [{refreshToken: marker}]}},
        });
        // The handler's sentence must not give it away either.
        throw new Error(
          JSON.stringify(request, (_key, value: unknown) =>
            typeof value === 'bigint' ? 0 : value,
          ),
        );
      });
  };
  await using server = await serve({routes, record});
  const secrets = new Set<string>();
  for (const method of methods)
    for (const token of ['admin', 'viewer', 'builder', 'edge', undefined]) {
      const request = fill(method.input, secrets);
      await server
        .transport(token)
        .unary(method, undefined, undefined, undefined, request)
        .catch(() => undefined);
    }

  await sql.begin(placeWaitingAudit);
  const rows = await sql<{method: string; text: string}[]>`
    select method, audit_entries::text as text from audit_entries
  `;
  t.deepEqual(
    rows.filter(({text}) => holds(text)).map(({text}) => text),
    [],
  );
  const told = new Set(rows.map(({method}) => method));
  for (const method of methods) {
    const name = `${method.parent.name}.${method.name}`;
    if (![...secrets].some(secret => secret.startsWith(`${method.input.typeName}.`))) continue;
    t.true(told.has(name), name);
  }
  t.true(secrets.size >= 6);
});
