import type {ServiceImpl} from '@connectrpc/connect';
import type {BootService} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import type {Boot, Resolution} from '../domain/boot.ts';
import type {BootAnswers} from '../domain/boot-answers.ts';
import type {BootSessions} from '../domain/boot-sessions.ts';
import type {BootTimeline} from '../domain/boot-timeline.ts';
import {
  fromAction,
  fromClient,
  fromHop,
  toBookMessage,
  toBootImageMessage,
  toDecisionMessage,
  toSessionMessage,
} from './boot-messages.ts';
import {callerKey} from './caller.ts';
import {whileCalled} from './streams.ts';

export const bootService = ({
  answers,
  boot,
  sessions,
  timeline,
}: {
  readonly answers: BootAnswers;
  readonly boot: Boot;
  readonly sessions: BootSessions;
  readonly timeline: BootTimeline;
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

  async listBootSessions({machineId, pageSize, pageToken}) {
    const {views, nextPageToken} = await timeline.list({machineId, pageSize, pageToken});
    return {bootSessions: views.map(toSessionMessage), nextPageToken};
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
