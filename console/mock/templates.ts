import type {MessageInitShape} from '@bufbuild/protobuf';
import {
  type Template_ParameterSchema,
  Template_Parameter_Type as Type,
  type TemplateSchema,
  TemplateService,
} from '@muster/proto/gen/muster/v1/templates_pb.ts';
import {Code, ConnectError} from '@connectrpc/connect';
import {mockMachine} from './machines.ts';
import type {MockNoun} from './transport.ts';

type TemplateInit = MessageInitShape<typeof TemplateSchema>;
type ParameterInit = MessageInitShape<typeof Template_ParameterSchema>;

const port: ParameterInit = {
  name: 'port',
  type: Type.INTEGER,
  description: 'Where it listens',
  defaultValue: {kind: {case: 'numberValue', value: 80}},
  minimum: 1n,
  maximum: 65_535n,
};
const timeZone: ParameterInit = {name: 'timeZone', type: Type.STRING, description: 'Of the clock'};

const some = (): TemplateInit[] => [
  {
    name: 'base-server',
    version: 1,
    builtin: true,
    description: 'A plain server',
    nixosModule: 'parameters: {...}: {\n  time.timeZone = parameters.timeZone;\n}\n',
    parameters: [timeZone],
  },
  {
    name: 'web',
    version: 1,
    description: 'A web server',
    nixosModule: 'parameters: {...}: {\n  services.nginx.enable = true;\n}\n',
    parameters: [],
  },
  {
    name: 'web',
    version: 2,
    description: 'A web server',
    nixosModule:
      'parameters: {...}: {\n  services.nginx.enable = true;\n  networking.firewall.allowedTCPPorts = [parameters.port];\n}\n',
    parameters: [port],
  },
];

/** A module with "FAIL" is refused. Two machines follow "web". */
export const addTemplates: MockNoun = router => {
  let versions = some();
  const newest = (name: string) => versions.findLast(template => template.name === name);
  const keep = (template: TemplateInit, version: number) => {
    if (template.nixosModule?.includes('FAIL'))
      throw new ConnectError(
        `Cannot keep template "${template.name}": templates/${template.name}:2:3: Unexpected "FAIL"`,
        Code.InvalidArgument,
      );
    return {...template, $typeName: undefined, version} as TemplateInit;
  };
  const machines = [1, 2].map(number => ({
    machineId: mockMachine(number).id ?? '',
    machineName: mockMachine(number).hostname ?? '',
    version: 2,
    follows: true,
  }));
  router.service(TemplateService, {
    listTemplates: () => ({
      templates: [...new Set(versions.map(({name}) => name ?? ''))].map(name => newest(name) ?? {}),
    }),
    getTemplate({name, version}) {
      const found = version
        ? versions.find(each => each.name === name && each.version === version)
        : newest(name);
      if (!found) throw new ConnectError(`Cannot find template "${name}"`, Code.NotFound);
      return {template: found};
    },
    createTemplate({template}) {
      const made = keep(template as TemplateInit, 1);
      versions = [...versions, made];
      return {template: made};
    },
    updateTemplate({template, dryRun}) {
      const made = keep(template as TemplateInit, (newest(template?.name ?? '')?.version ?? 0) + 1);
      if (!dryRun) versions = [...versions, made];
      return {template: made, machines};
    },
    deleteTemplate({name}) {
      throw new ConnectError(
        `Cannot delete template "${name}": node-00001, node-00002 use it; take it away from them first`,
        Code.FailedPrecondition,
      );
    },
    listTemplateMachines: ({name}) => ({machines: name === 'web' ? machines : []}),
  });
};
