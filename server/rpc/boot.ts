import type {ServiceImpl} from '@connectrpc/connect';
import type {BootService} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import type {Boot, Resolution} from '../domain/boot.ts';
import type {BootAnswers} from '../domain/boot-answers.ts';
import type {BootLists} from '../domain/boot-lists.ts';
import type {BootSessions} from '../domain/boot-sessions.ts';
import type {BootTimeline} from '../domain/boot-timeline.ts';
import {parseFilterId} from '../domain/ids.ts';
import {
  fromAction,
  fromClient,
  fromHop,
  fromSessionState,
  toBookMessage,
  toBootImageMessage,
  toDecisionMessage,
  toOverrideMessage,
  toSessionMessage,
} from './boot-messages.ts';
import {callerKey} from './caller.ts';
import {whileCalled} from './streams.ts';

export const bootService = ({
  answers,
  boot,
  sessions,
  timeline,
  lists,
}: {
  readonly answers: BootAnswers;
  readonly boot: Boot;
  readonly sessions: BootSessions;
  readonly timeline: BootTimeline;
  readonly lists: BootLists;
}): ServiceImpl<typeof BootService> => ({
  async *watchBootAnswers({revision}, {signal}) {
    for await (const message of whileCalled(signal, answers.watch(revision, signal)))
      yield toBookMessage(message);
  },

  async resolveBoot({client}, {values}) {
    return toResolution(await boot.resolve(fromClient(client), values.get(callerKey).name));
  },

  async reportBootHops({hops}) {
    await sessions.report(hops.map(fromHop).filter(hop => hop !== undefined));
    return {};
  },

  async explainBoot({machine}) {
    const {machineId = '', decision, considered} = await boot.explain(machine);
    return {machineId, decision: toDecisionMessage(decision), considered: [...considered]};
  },

  async listBootSessions({machineId, states, imageId, since, until, ...request}) {
    const {countTotal, pageSize, pageToken} = request;
    const page = await timeline.list({
      machineId: machineId || undefined,
      states: states.map(fromSessionState),
      imageId: imageId || undefined,
      since,
      until,
      countTotal,
      pageSize,
      pageToken,
    });
    const {nextPageToken, total: totalSize} = page;
    return {bootSessions: page.views.map(toSessionMessage), nextPageToken, totalSize};
  },

  async listBootOverrides({machineId, persistent, pageSize, pageToken}) {
    const filter = {machineId: parseFilterId('machine_id', machineId), persistent};
    const page = await lists.overrides({...filter, pageSize, pageToken});
    return {
      bootOverrides: page.overrides.map(toOverrideMessage),
      nextPageToken: page.nextPageToken,
    };
  },

  async listBootDecisions({filter, pageSize, pageToken}) {
    const page = await lists.decisions({filter, pageSize, pageToken});
    const bootDecisions = page.decisions.map(({machineId, decision, standing}) => ({
      machineId,
      decision: toDecisionMessage(decision),
      ...(standing ? {standing: toDecisionMessage(standing)} : {}),
    }));
    return {bootDecisions, nextPageToken: page.nextPageToken};
  },

  async setBootOverride({machineId, action, imageId, persistent}, {values}) {
    const override = {action: fromAction(action), imageId, persistent};
    const {name} = values.get(callerKey);
    return {decision: toDecisionMessage(await boot.setOverride(name, machineId, override))};
  },

  async clearBootOverride({machineId, persistent}, {values}) {
    await boot.clearOverride(values.get(callerKey).name, machineId, persistent);
    return {};
  },
});

function toResolution({machine, decision, image}: Resolution) {
  return {
    answer: {
      machineId: machine?.id ?? '',
      macAddresses: [...(machine?.macAddresses ?? [])],
      uuid: machine?.uuid ?? '',
      serial: machine?.serviceTag ?? '',
      decision: toDecisionMessage(decision),
      ask: machine?.overrideAction !== undefined,
    },
    ...(image ? {image: toBootImageMessage(image)} : {}),
  };
}
