import {readFileSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import {fromJson, toJson} from '@bufbuild/protobuf';
import {ValueSchema} from '@bufbuild/protobuf/wkt';
import {
  type Template,
  type Template_Parameter,
  Template_Parameter_Type,
  TemplateSchema,
} from '@muster/proto/gen/muster/v1/templates_pb.ts';
import test from 'ava';
import {nixFolder} from './testing/nix.ts';

const folder = join(nixFolder, 'templates');
const names = readdirSync(folder)
  .filter(file => file.endsWith('.json'))
  .map(file => file.replace(/\.json$/, ''));
const readModule = (name: string) => readFileSync(join(folder, `${name}.nix`), 'utf8');
const readTemplate = (name: string): Template =>
  fromJson(TemplateSchema, JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')));

test('there are the five templates', t => {
  t.deepEqual(names.toSorted(), [
    'base-server',
    'container-host',
    'gpu-node',
    'kubernetes-node',
    'zfs-storage',
  ]);
});

for (const name of names)
  test(`${name}: the declaration and the module know the same parameters`, t => {
    const template = readTemplate(name);
    t.is(template.name, name);
    t.not(template.description, '');
    const declared = template.parameters.map(parameter => parameter.name);
    const text = readModule(name);
    const single = [...text.matchAll(/\bparameters\.([a-z][A-Za-z0-9]*)/g)].map(match => match[1]);
    const inherited = [...text.matchAll(/inherit \(parameters\) ([^;]+);/g)].flatMap(match =>
      (match[1] ?? '').trim().split(/\s+/),
    );
    t.deepEqual(
      [...new Set([...single, ...inherited])].map(String).toSorted(),
      declared.toSorted(),
    );
    t.true(text.includes('\nparameters:\n') || text.startsWith('parameters:\n'));
  });

for (const name of names)
  test(`${name}: each default is a value that its declaration allows`, t => {
    for (const parameter of readTemplate(name).parameters) {
      t.not(parameter.description, '', parameter.name);
      if (!parameter.defaultValue) continue;
      const value = toJson(ValueSchema, parameter.defaultValue);
      t.true(fits(parameter, value), `${parameter.name} = ${JSON.stringify(value)}`);
    }
  });

function fits(parameter: Template_Parameter, value: unknown): boolean {
  const {type, pattern, allowedValues, minimum, maximum} = parameter;
  const fitsText = (text: unknown) =>
    typeof text === 'string' &&
    (allowedValues.length === 0 || allowedValues.includes(text)) &&
    (pattern === '' || new RegExp(`^(?:${pattern})$`, 'u').test(text));
  switch (type) {
    case Template_Parameter_Type.STRING:
      return fitsText(value);
    case Template_Parameter_Type.STRING_LIST:
      return Array.isArray(value) && value.every(fitsText);
    case Template_Parameter_Type.BOOLEAN:
      return typeof value === 'boolean';
    case Template_Parameter_Type.INTEGER:
      return (
        typeof value === 'number' &&
        Number.isInteger(value) &&
        BigInt(value) >= (minimum ?? BigInt(value)) &&
        BigInt(value) <= (maximum ?? BigInt(value))
      );
    default:
      return false;
  }
}

const patternOf = (template: string, name: string): RegExp => {
  const found = readTemplate(template).parameters.find(parameter => parameter.name === name);
  return new RegExp(`^(?:${found?.pattern ?? ''})$`, 'u');
};

test('a token of Kubernetes can only be named by a file in /run', t => {
  const pattern = patternOf('kubernetes-node', 'tokenFile');
  for (const path of ['/run/k3s/token', '/run/secrets/k3s.token']) t.regex(path, pattern);
  for (const path of [
    'K10abc::server:def',
    '/etc/token',
    '/run/../etc/token',
    '/run/',
    '/run/a b',
    '/run/x;y',
  ])
    t.notRegex(path, pattern);
});

test('an administrator is a name and a public key', t => {
  const pattern = patternOf('base-server', 'adminKeys');
  t.regex('ann ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAnn ann@desk', pattern);
  for (const line of [
    'ssh-ed25519 AAAA',
    'ann -----BEGIN OPENSSH PRIVATE KEY-----',
    'ann ssh-ed25519 AAAA\nroot',
  ])
    t.notRegex(line, pattern);
});
