import {createClient} from '@connectrpc/connect';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {
  type Template_Parameter,
  Template_Parameter_Type,
  TemplateService,
} from '@muster/proto/gen/muster/v1/templates_pb.ts';
import {uuidv7} from '@muster/runtime/ids.ts';
import {createTemplates} from '@muster/server/domain/templates.ts';
import {machineService} from '@muster/server/rpc/machines.ts';
import {templateService} from '@muster/server/rpc/templates.ts';
import type {Database} from '@muster/server/store/db.ts';
import {wireMachines} from './server-machines.ts';
import {serveInMemory, viewOf} from './in-memory.ts';

/** Templates and machines of one server, called in memory as an operator. */
export async function createTestTemplates(sql: Database) {
  const server = await wireMachines(sql);
  const templates = createTemplates({sql, now: () => new Date(), newId: uuidv7});
  const view = viewOf(server.clock);
  const transport = serveInMemory(
    ({service}) => {
      service(TemplateService, templateService(templates));
      service(MachineService, machineService({...server, view}));
    },
    () => ({name: 'user:alice', role: 'operator', address: ''}),
  );
  const machines = createClient(MachineService, transport);
  return {
    sql,
    templates,
    client: createClient(TemplateService, transport),
    machines,
    /** Gives the id of a machine that uses these templates. */
    async addMachine(hostname: string, uses: Parameters<typeof useTemplates>[1] = []) {
      const {machine} = await machines.createMachine({
        machine: {serviceTag: `TAG-${hostname}`, hostname},
      });
      const id = machine?.id ?? '';
      if (uses.length > 0) await useTemplates(id, uses);
      return id;
    },
    useTemplates,
  };

  async function useTemplates(
    id: string,
    templates: {name: string; version?: number; parameters?: Record<string, string | number>}[],
  ) {
    const updateMask = {paths: ['templates']};
    return (await machines.updateMachine({machine: {id, templates}, updateMask})).machine;
  }
}

export const portParameter = {
  name: 'port',
  type: Template_Parameter_Type.INTEGER,
  minimum: 1n,
  maximum: 65_535n,
} satisfies Partial<Template_Parameter>;

/** A template with one parameter, which has to be given. */
export const webTemplate = {
  name: 'web',
  description: 'A web server',
  nixosModule: 'parameters: {services.nginx.enable = true;}',
  parameters: [portParameter],
};
