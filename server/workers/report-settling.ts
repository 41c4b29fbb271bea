import type {JsMsg} from '@nats-io/jetstream';
import type {NatsConnection} from '@nats-io/transport-node';
import type {AgentCommandJson} from '@muster/proto/gen/muster/v1/agents_pb.ts';
import {subjects} from '@muster/runtime/bus.ts';
import type {Logger} from '@muster/runtime/log.ts';
import type {PresenceWriter} from '../domain/presence.ts';
import {isDatabaseUnavailable} from '../store/db.ts';

const backOffMsMax = 60_000;
/** A report that still cannot be handled then, with a database that works, is given up. */
const deliveriesMax = 20;

/** What became of a report, for the counter; `received` inventories are counted again when they were taken in. */
export type ReportOutcome =
  | 'received'
  | 'committed'
  | 'repeated'
  | 'superseded'
  | 'junk'
  | 'failed'
  | 'given_up';

export type CountReport = (outcome: ReportOutcome, kind: string) => void;

type Source = {readonly machineId: string; readonly kind: string};

export type ReportSettling = ReturnType<typeof createReportSettling>;

/** The end of a report: for the bus, for its agent and for the counter. */
export function createReportSettling({
  nats,
  presence,
  count,
  log,
}: {
  readonly nats: NatsConnection;
  readonly presence: Pick<PresenceWriter, 'seen'>;
  readonly count: CountReport;
  readonly log: Logger;
}) {
  /** The agent keeps the report until it hears this; one that is lost is asked for by its next sending. */
  function acknowledge(machineId: string, reportId: string): void {
    const receipt: AgentCommandJson = {
      commandId: reportId,
      machineId,
      received: {reportIds: [reportId]},
    };
    nats.publish(subjects.command(machineId, 'received'), JSON.stringify(receipt));
  }

  return {
    /** After its commit. */
    settle(
      message: JsMsg,
      report: Source & {readonly reportId: string; readonly outcome: ReportOutcome},
    ): void {
      const {machineId, reportId, outcome, kind} = report;
      presence.seen(machineId, message.time);
      acknowledge(machineId, reportId);
      message.ack();
      count(outcome, kind);
    },

    drop(message: JsMsg, kind: string, why: string): void {
      const {subject, data} = message;
      log.warn({subject, bytes: data.length, why}, 'report dropped');
      count('junk', kind);
      message.term();
    },

    fail(message: JsMsg, {machineId, kind, error}: Source & {readonly error: unknown}): void {
      const deliveries = message.info.deliveryCount;
      const givenUp = deliveries >= deliveriesMax && !isDatabaseUnavailable(error);
      log[givenUp ? 'error' : 'warn'](
        {err: error, machineId, kind, deliveries},
        'report not committed',
      );
      count(givenUp ? 'given_up' : 'failed', kind);
      if (givenUp) message.term();
      else message.nak(Math.min(1000 * 2 ** (deliveries - 1), backOffMsMax));
    },
  };
}
