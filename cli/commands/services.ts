import {chmodSync, mkdirSync, writeFileSync} from 'node:fs';
import {hostname} from 'node:os';
import {join, resolve} from 'node:path';
import {
  CreateJoinCodeResponseSchema,
  GetNatsConfigResponseSchema,
  type Service,
  Service_Kind,
  Service_KindSchema,
  ServiceSchema,
} from '@muster/proto/gen/muster/v1/services_pb.ts';
import type {Command} from 'commander';
import {collectPages, contextOf, parseLimit} from '../context.ts';
import {CommandError, exitStatus} from '../exit-status.ts';
import {age, clock, type Column, nameOf} from '../output.ts';

const columns: readonly Column<Service>[] = [
  {title: 'ID', value: service => service.id},
  {title: 'KIND', value: service => nameOf(Service_KindSchema, service.kind).toLowerCase()},
  {title: 'NAME', value: service => service.name},
  {title: 'STATE', value: stateOf},
  {title: 'SEEN', value: service => age(service.lastSeenTime)},
  {title: 'VERSION', value: service => service.version},
  {title: 'BUILDS WITH', value: describeBackends},
];

/** `muster services …`, `muster service add …` */
export function addServiceCommands(program: Command): void {
  const services = program
    .command('services')
    .alias('service')
    .description('edges and builders: the processes beside the server');
  services
    .command('list')
    .description('list edges and builders')
    .option('--limit <n>', 'at most this many', parseLimit, 1000)
    .addHelpText('after', '\nExample: muster services list')
    .action(list);
  services
    .command('add <kind> <name>')
    .description('a code that lets one edge or builder join within 15 minutes')
    .addHelpText('after', '\nExample: muster service add edge rack7')
    .action(add);
  services
    .command('revoke <id>')
    .description('make the key of an edge or builder worthless')
    .addHelpText('after', '\nExample: muster service revoke 0198c0de-0000-7000-8000-000000000001')
    .action(revoke);
}

/** `muster nats …` */
export function addNatsCommands(program: Command): void {
  const nats = program.command('nats').description('a nats-server of your own');
  nats
    .command('config [folder]')
    .description(
      'its configuration with operator, accounts, resolver and TLS; written into a folder, or printed',
    )
    .addHelpText('after', '\nExample: muster nats config /etc/nats-muster')
    .action(natsConfig);
}

async function list(options: {readonly limit: number}, command: Command): Promise<void> {
  const context = contextOf(command);
  const services = await collectPages(context, options.limit, async page => {
    const answer = await context.clients.services.listServices(page);
    return {rows: answer.services, nextPageToken: answer.nextPageToken};
  });
  context.out.list(ServiceSchema, columns, services);
}

const kinds: ReadonlyMap<string, Service_Kind> = new Map([
  ['edge', Service_Kind.EDGE],
  ['builder', Service_Kind.BUILDER],
]);

async function add(
  kindName: string,
  name: string,
  _options: object,
  command: Command,
): Promise<void> {
  const {clients, out, serverUrl} = contextOf(command);
  const kind = kinds.get(kindName);
  if (kind === undefined)
    throw new CommandError(`Cannot add a "${kindName}": say edge or builder`, exitStatus.usage);
  const answer = await clients.services.createJoinCode({kind, name});
  if (out.json) return out.document(CreateJoinCodeResponseSchema, answer);
  const folder = kindName === 'edge' ? 'ipxe' : 'builder';
  out.line(`Join code of ${kindName} "${name}", until ${clock(answer.expireTime)}, shown once:`);
  out.line(`\n  ${answer.code}\n`);
  out.line('On its host, in a checkout:');
  out.line(
    `  SERVER_URL=${reachable(serverUrl)} JOIN_CODE=${answer.code} node_modules/.bin/node ${folder}/main.ts`,
  );
}

/** Another host does not find the server at this host's own loopback address. */
function reachable(serverUrl: string): string {
  const url = new URL(serverUrl);
  const local = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  return local ? `http://${hostname()}:${url.port || '80'}` : serverUrl;
}

async function revoke(id: string, _options: object, command: Command): Promise<void> {
  const {clients, out} = contextOf(command);
  await clients.services.revokeService({id});
  out.line(out.json ? '{}' : `Service ${id} is revoked`);
}

/** Where the server's answer expects certificate, key and data: the folder of a distribution's package. */
const configFolder = '/var/lib/muster/nats';

async function natsConfig(
  folder: string | undefined,
  _options: object,
  command: Command,
): Promise<void> {
  const {clients, out} = contextOf(command);
  const answer = await clients.services.getNatsConfig({});
  if (out.json) return out.document(GetNatsConfigResponseSchema, answer);
  if (!folder) return out.line(answer.config);

  const into = resolve(folder);
  mkdirSync(into, {recursive: true, mode: 0o700});
  const files = {
    'nats.conf': answer.config.replaceAll(`"${configFolder}/`, `"${into}/`),
    'server-cert.pem': answer.certificate,
    'server-key.pem': answer.privateKey,
    'site-ca.pem': answer.siteCa,
  };
  for (const [name, content] of Object.entries(files)) {
    const path = join(into, name);
    writeFileSync(path, content, {mode: 0o600});
    chmodSync(path, 0o600);
  }
  out.line(
    `Wrote ${Object.keys(files).join(', ')} into "${into}": nats-server -c ${join(into, 'nats.conf')}`,
  );
}

function stateOf({revoked, online}: Service): string {
  if (revoked) return 'revoked';
  return online ? 'online' : 'offline';
}

function describeBackends({backends}: Service): string {
  return backends
    .map(({name, available, missing}) => (available ? name : `${name} (no: ${missing})`))
    .join(', ');
}
