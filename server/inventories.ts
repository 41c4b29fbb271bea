import type {Logger} from '@muster/runtime/log.ts';
import {Counter, type Registry} from 'prom-client';
import {createHardwareIntake} from './domain/hardware-intake.ts';
import type {Nouns} from './nouns.ts';
import type {Database} from './store/db.ts';
import {startHardwareIntake} from './workers/hardware-intake.ts';
import {createReceiptPressure} from './workers/receipt-pressure.ts';
import type {CountReport} from './workers/report-settling.ts';
import {createTakeIn} from './workers/take-in-inventory.ts';

/** The way of an inventory after its receipt, wired by hand; it needs no NATS. */
export function openInventories({
  sql,
  nouns,
  registry,
  log,
}: {
  readonly sql: Database;
  readonly nouns: Pick<Nouns, 'hardware' | 'application'>;
  readonly registry: Registry;
  readonly log: Logger;
}) {
  const reports = new Counter({
    name: 'muster_agent_reports_total',
    help: 'Reports of agents by kind and what became of them; an inventory is received, and later committed or junk',
    labelNames: ['outcome', 'kind'],
    registers: [registry],
  });
  const count: CountReport = (outcome, kind) => reports.inc({outcome, kind});
  const intake = createHardwareIntake({sql});
  const takeIn = createTakeIn({hardware: nouns.hardware, rules: nouns.application});
  const pressure = createReceiptPressure();
  const taking = startHardwareIntake({intake, takeIn, pressure, count, registry, log});
  return {
    intake,
    pressure,
    count,
    kept: taking.wake,
    [Symbol.asyncDispose]: () => taking[Symbol.asyncDispose](),
  };
}

export type Inventories = ReturnType<typeof openInventories>;
