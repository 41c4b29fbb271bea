import {create} from '@bufbuild/protobuf';
import {
  BootAction,
  type BootClient,
  BootClientSchema,
  type BootDecision,
  BootDecisionSchema,
  BootHop_Kind,
} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import type {Book, KnownMachine, Match} from './book.ts';
import {type BootRequest, parseBootRequest, toBootClient} from './boot-request.ts';
import type {Hops} from './hops.ts';
import type {Metrics} from './metrics.ts';
import {type Replies, type Reply, toReply} from './replies.ts';
import type {Resolver} from './resolve.ts';
import {renderScript} from './script.ts';
import type {BootSession, Sessions} from './sessions.ts';

/** A machine that asks again within this time adds no row to its timeline. */
const scriptHopEveryMs = 5000;

const unreachedNote =
  'the server did not answer: this is the standing answer, a one-time override was not looked up';
const noPolicyScript = 'this edge has not heard from its server yet';

export type Answers = ReturnType<typeof createAnswers>;

/** Which script a machine gets. From memory; the server is asked about strangers, conflicts and machines marked *ask*. */
export function createAnswers({
  book,
  replies,
  sessions,
  resolve,
  hops,
  metrics,
  nowMs,
}: {
  readonly book: Book;
  readonly replies: Replies;
  readonly sessions: Sessions;
  readonly resolve: Resolver;
  readonly hops: Hops;
  readonly metrics: Metrics;
  readonly nowMs: () => number;
}) {
  /** The client is made only when a row is due: this runs for each request. */
  function note(
    session: BootSession,
    decision: BootDecision | undefined,
    client: () => BootClient,
  ) {
    session.toldLocalDisk = decision?.action === BootAction.LOCAL_DISK;
    if (nowMs() - session.lastScriptHopMs < scriptHopEveryMs) return;
    session.lastScriptHopMs = nowMs();
    hops.add({
      kind: BootHop_Kind.SCRIPT,
      session: session.id,
      client: client(),
      detail: decision?.reason ?? '',
      imageId: decision?.imageId ?? '',
      complete: true,
    });
  }

  function begin(request: BootRequest, ipAddress: string, machine: KnownMachine | undefined) {
    return sessions.begin({
      machineId: machine?.answer.machineId,
      macAddress: request.keys.macAddresses[0],
      ipAddress,
    });
  }

  /** What the server says now; undefined when it says nothing in time. */
  async function askServer(
    request: BootRequest,
    session: BootSession,
  ): Promise<BootDecision | undefined> {
    const response = await resolve(toBootClient(request, session.ipAddress, session.id));
    if (response?.image) book.addImage(response.image);
    return response?.answer?.decision;
  }

  /** One answer for the whole session: an override is not used up by asking twice. */
  async function answerAsk(machine: KnownMachine, request: BootRequest, session: BootSession) {
    if (session.askReply) return session.askReply;
    const asked = await askServer(request, session);
    const decision = asked ?? machine.answer.decision;
    note(session, decision, () => toBootClient(request, session.ipAddress, session.id));
    const script = decision
      ? renderScript(decision, book.scriptImages(), asked ? undefined : unreachedNote)
      : retry(noPolicyScript);
    session.askReply ??= toReply(script);
    return session.askReply;
  }

  async function answerUnsure(
    machine: KnownMachine | undefined,
    request: BootRequest,
    session: BootSession,
  ): Promise<Reply> {
    const asked = await askServer(request, session);
    note(session, asked ?? machine?.answer.decision ?? book.settings?.unknown, () =>
      toBootClient(request, session.ipAddress, session.id),
    );
    if (asked) return toReply(renderScript(asked, book.scriptImages()));
    const standing = machine ? replies.ofMachine(machine) : replies.ofPolicy();
    return standing ?? toReply(retry(noPolicyScript));
  }

  async function answerMatch(
    match: Match,
    request: BootRequest,
    ipAddress: string,
  ): Promise<Reply> {
    if (match.kind !== 'one') {
      if (match.kind === 'ambiguous') metrics.ambiguous();
      else metrics.unknown();
      return answerUnsure(undefined, request, begin(request, ipAddress, undefined));
    }
    const {machine, conflict} = match;
    const session = begin(request, ipAddress, machine);
    if (machine.answer.ask) return answerAsk(machine, request, session);
    if (conflict) return answerUnsure(machine, request, session);
    note(session, machine.answer.decision, () => toBootClient(request, ipAddress, session.id));
    return replies.ofMachine(machine) ?? toReply(retry(noPolicyScript));
  }

  function retry(reason: string): string {
    const decision = create(BootDecisionSchema, {action: BootAction.RETRY, reason});
    return renderScript(decision, book.scriptImages());
  }

  return {
    /** The hot path: undefined unless the one key names one machine whose answer lies ready. */
    ready(tag: string, ipAddress: string): Reply | undefined {
      const match = book.findTag(tag);
      if (match.kind !== 'one' || match.machine.answer.ask) return undefined;
      const {machine} = match;
      const reply = replies.ofMachine(machine);
      if (!reply) return undefined;

      const {answer} = machine;
      const session = sessions.begin({
        machineId: answer.machineId,
        macAddress: answer.macAddresses[0],
        ipAddress,
      });
      note(session, answer.decision, () =>
        create(BootClientSchema, {
          macAddresses: answer.macAddresses.slice(0, 1),
          uuid: answer.uuid,
          serial: answer.serial,
          ipAddress,
          session: session.id,
        }),
      );
      metrics.request('script_tag');
      return reply;
    },

    /** By all keys of a request. Always a valid script; waits for the server at most 2 s. */
    answer(request: BootRequest, ipAddress: string): Promise<Reply> {
      return answerMatch(book.find(request.keys), request, ipAddress);
    },

    /** By one key alone. Undefined when it names no machine or several: the machine must tell more. */
    async answerTag(tag: string, ipAddress: string): Promise<Reply | undefined> {
      const match = book.findTag(tag);
      if (match.kind === 'ambiguous') metrics.ambiguous();
      if (match.kind !== 'one') return undefined;
      return answerMatch(match, parseBootRequest(new URLSearchParams(), tag), ipAddress);
    },
  };
}
