import {existsSync, readFileSync, rmSync} from 'node:fs';
import {hostname} from 'node:os';
import {join} from 'node:path';
import {Code, ConnectError} from '@connectrpc/connect';
import type {Service, Service_Kind} from '@muster/proto/gen/muster/v1/services_pb.ts';
import {User_Role} from '@muster/proto/gen/muster/v1/users_pb.ts';
import type {Clients} from '../client.ts';

const pageSizeMax = 1000;

/**
 * The environment that lets an edge or builder join at its first start: empty when `stateFolder` shows that it has joined this server
 * already. A state folder of another server's time (its database was deleted) joins again.
 */
export async function joinEnvironment(
  clients: Clients,
  kind: Service_Kind,
  stateFolder: string,
): Promise<Readonly<Record<string, string>>> {
  const idFile = join(stateFolder, 'service-id');
  if (existsSync(idFile)) {
    const id = readFileSync(idFile, 'utf8').trim();
    const known = (await listServices(clients)).find(service => service.id === id);
    if (known?.revoked)
      throw new Error(
        `The ${known.name} of this host was revoked: delete "${stateFolder}" to let it join anew`,
      );
    if (known) return {};
    rmSync(idFile);
  }
  return {JOIN_CODE: await createJoinCode(clients, kind, serviceName(hostname()))};
}

/** Names are unique: the host's second life gets a number. */
async function createJoinCode(clients: Clients, kind: Service_Kind, name: string): Promise<string> {
  const attemptsMax = 20;
  for (let attempt = 1; ; attempt += 1) {
    const unique = attempt === 1 ? name : `${name.slice(0, 60)}-${attempt}`;
    try {
      return (await clients.services.createJoinCode({kind, name: unique})).code;
    } catch (error) {
      const taken = error instanceof ConnectError && error.code === Code.AlreadyExists;
      if (!taken || attempt === attemptsMax) throw error;
    }
  }
}

/** What the contract allows as a service's name: "r7.example" becomes "r7-example". */
export function serviceName(host: string): string {
  const name = host
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 63)
    .replace(/-+$/, '');
  return name === '' ? 'local' : name;
}

async function listServices(clients: Clients): Promise<readonly Service[]> {
  const found: Service[] = [];
  let pageToken = '';
  do {
    const page = await clients.services.listServices({pageSize: pageSizeMax, pageToken});
    found.push(...page.services);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return found;
}

/** Path of a new setup link while nobody administers this server; undefined afterwards. */
export async function setupPath(clients: Clients): Promise<string | undefined> {
  const {users} = await clients.users.listUsers({pageSize: pageSizeMax});
  if (users.some(({role}) => role === User_Role.ADMIN)) return undefined;
  return (await clients.sessions.createSetupLink({})).path;
}
