import {readdirSync} from 'node:fs';
import {create, type DescFile, type DescMethod, getOption, hasOption} from '@bufbuild/protobuf';
import {
  MachineService,
  UpdateMachineRequestSchema,
} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {audit, AuditRule} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {ClaimBuildRequestSchema, BuildService} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import test from 'ava';
import {auditRuleOf, declaredAuditRule, resourceOf} from './audit-rule.ts';

const folder = new URL('../../proto/gen/muster/v1/', import.meta.url);
const reading = /^(Get|List|Watch|Find|Explain|Search|Verify|Export|Count|Describe|Preview|Check)/;

async function allMethods(): Promise<readonly DescMethod[]> {
  const modules = await Promise.all(
    readdirSync(folder).map(name => import(new URL(name, folder).href) as Promise<object>),
  );
  return modules
    .flatMap(module => Object.entries(module))
    .filter(([name]) => name.startsWith('file_'))
    .flatMap(([, file]) => (file as DescFile).services)
    .flatMap(service => service.methods);
}

test('every method of the contract is known to read or to be audited', async t => {
  const methods = await allMethods();
  t.true(methods.length > 40);
  for (const method of methods) {
    const name = `${method.parent.name}.${method.name}`;
    const rule = declaredAuditRule(method);
    t.not(
      rule,
      undefined,
      `${name} has neither a REST route nor an (audit) option: nobody knows whether it changes anything`,
    );
    if (hasOption(method, audit) && getOption(method, audit) !== AuditRule.UNSPECIFIED) continue;
    t.is(
      rule === AuditRule.NONE,
      reading.test(method.name),
      `${name}: its name and its REST route disagree on whether it only reads; say so with the (audit) option`,
    );
  }
});

test('a method that does not say is audited', async t => {
  const [method] = (await allMethods()).filter(({name}) => name === 'FindImage');
  if (!method) throw new Error('FindImage is gone');
  t.is(auditRuleOf(method), AuditRule.NONE);
  const {options, ...bare} = method.proto;
  const silent = {...options, $unknown: options?.$unknown?.filter(({no}) => no === 50501)};
  const changed = {...method, proto: {...bare, options: silent}} as DescMethod;
  t.is(declaredAuditRule(changed), undefined);
  t.is(auditRuleOf(changed), AuditRule.CALLS);
});

test('a request names its resource by its route, or by the id in it', t => {
  const update = create(UpdateMachineRequestSchema, {machine: {id: 'm1'}});
  t.is(resourceOf(MachineService.method.updateMachine, update), 'machines/m1');
  t.is(resourceOf(MachineService.method.updateMachine, create(UpdateMachineRequestSchema)), '');
  const claim = create(ClaimBuildRequestSchema, {buildId: 'b1'});
  t.is(resourceOf(BuildService.method.claimBuild, claim), 'builds/b1');
});
