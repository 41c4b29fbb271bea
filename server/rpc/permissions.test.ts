import {readdirSync} from 'node:fs';
import {type DescFile, type DescService, getOption, hasOption} from '@bufbuild/protobuf';
import {permission, Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import test from 'ava';
import {allowedRoles, type Role} from './permissions.ts';

const folder = new URL('../../proto/gen/muster/v1/', import.meta.url);

async function allServices(): Promise<readonly DescService[]> {
  const modules = await Promise.all(
    readdirSync(folder).map(name => import(new URL(name, folder).href) as Promise<object>),
  );
  const files = modules
    .flatMap(module => Object.entries(module))
    .filter(([name]) => name.startsWith('file_'))
    .map(([, file]) => file as DescFile);
  return files.flatMap(file => file.services);
}

/** Written out again on purpose: a change of the table must be meant. */
const expected: Readonly<Record<string, readonly Role[]>> = {
  PUBLIC: ['admin', 'operator', 'developer', 'viewer', 'edge', 'builder', 'anonymous'],
  AGENT: ['admin', 'operator', 'developer', 'viewer', 'edge', 'builder', 'anonymous'],
  EDGE: ['edge'],
  BUILDER: ['builder'],
  SERVICE: ['edge', 'builder'],
  VIEW: ['admin', 'operator', 'developer', 'viewer'],
  DEVELOP: ['admin', 'operator', 'developer'],
  OPERATE: ['admin', 'operator'],
  ADMINISTER: ['admin'],
};

test('every method of the contract says who may call it, and exactly those may', async t => {
  const services = await allServices();
  t.true(services.length >= 12);
  const roles = expected.PUBLIC ?? [];
  for (const method of services.flatMap(service => service.methods)) {
    const name = `${method.parent.name}.${method.name}`;
    t.true(hasOption(method, permission), `${name} has no permission: nobody can call it`);
    const value = getOption(method, permission);
    const key = Object.entries(Permission).find(([, number]) => number === value)?.[0] ?? '';
    const allowed = expected[key];
    t.truthy(allowed, `${name}: permission ${key} is not in this table`);
    for (const role of roles)
      t.is(
        allowedRoles(method).includes(role),
        allowed?.includes(role) ?? false,
        `${name} as ${role}`,
      );
  }
});

test('a method that does not say is for nobody', async t => {
  const [service] = await allServices();
  const method = service?.methods[0];
  if (!method) throw new Error('The contract has no method');
  const {options: _options, ...bare} = method.proto;
  t.deepEqual(allowedRoles({...method, proto: bare}), []);
});
