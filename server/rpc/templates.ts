import type {ServiceImpl} from '@connectrpc/connect';
import type {TemplateService} from '@muster/proto/gen/muster/v1/templates_pb.ts';
import type {Templates} from '../domain/templates.ts';
import {callerKey} from './caller.ts';
import {fromTemplateMessage, toTemplateMessage} from './template-messages.ts';

export const templateService = (templates: Templates): ServiceImpl<typeof TemplateService> => ({
  async listTemplates(request) {
    const page = await templates.list(request);
    return {templates: page.templates.map(toTemplateMessage), nextPageToken: page.nextPageToken};
  },

  async getTemplate({name, version}) {
    return {template: toTemplateMessage(await templates.get(name, version))};
  },

  async createTemplate({template}, {values}) {
    const content = fromTemplateMessage(template);
    const created = await templates.create(values.get(callerKey).name, content);
    return {template: toTemplateMessage(created)};
  },

  async updateTemplate({template: wanted, dryRun}, {values}) {
    const content = fromTemplateMessage(wanted);
    const {name} = values.get(callerKey);
    const {template, machines} = await templates.update(name, content, {dryRun});
    return {template: toTemplateMessage(template), machines: [...machines]};
  },

  async deleteTemplate({name}, {values}) {
    await templates.delete(values.get(callerKey).name, name);
    return {};
  },

  async listTemplateMachines({name, pageSize, pageToken}) {
    const {machines, nextPageToken} = await templates.listMachines(name, {pageSize, pageToken});
    return {machines: [...machines], nextPageToken};
  },
});
