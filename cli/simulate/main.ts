import {runFleet} from '@muster/simulator/fleet.ts';
import {isSound} from '@muster/simulator/verify.ts';
import type {Context} from '../context.ts';
import {CommandError, exitStatus} from '../exit-status.ts';
import {progressBar} from '../output.ts';
import {type Plan, readPlan, type SimulateOptions} from './options.ts';
import {clean, countRealMachines, countStates, createImageLookup, verify} from './server-side.ts';
import {createProgress, showSummary} from './view.ts';

const statusEveryMs = 1000;
const loginsPerSecondMax = 200;
const drainMs = 90_000;

/** `muster simulate`: a fleet in this process. Fails when a sample was lost or stored twice. */
export async function simulate(context: Context, options: SimulateOptions): Promise<void> {
  const {out, remark} = context;
  if (options.clean) {
    const count = await clean(context, (done, all) =>
      out.progress(`${progressBar((100 * done) / all)}  ${done} of ${all} removed`),
    );
    out.line(`Removed ${count} simulated machines`);
    return;
  }
  const plan = readPlan(options);
  if (!options.yes) await assertNobodyReal(context);

  const {forMs} = plan;
  const report = await runFleet(
    {...plan, loginsPerSecondMax, drainMs, describeImage: createImageLookup(context)},
    {
      onStatus: createProgress(out, remark, forMs === undefined ? undefined : forMs / 1000),
      statusEveryMs,
      signal: context.signal,
    },
  );
  const verdict = options.verify
    ? await verify(context, {
        ...report,
        onProgress: done =>
          out.progress(`${progressBar((100 * done) / report.records.length)}  comparing samples`),
      })
    : undefined;
  const {records, ...told} = report;
  if (out.json)
    out.line(JSON.stringify({...told, enrolled: records.length, verdict}, undefined, 2));
  else showSummary(out, {report, verdict, states: await countStates(context)});
  assertWell(plan, records.length, verdict === undefined || isSound(verdict));
}

async function assertNobodyReal(context: Context): Promise<void> {
  const count = await countRealMachines(context);
  if (count > 0)
    throw new CommandError(
      `Cannot simulate at ${context.serverUrl}: it has ${count} machines that are not simulated. --yes does it nevertheless; "muster simulate --clean" removes simulated machines only`,
      exitStatus.usage,
    );
}

function assertWell({machines}: Plan, enrolled: number, isSound: boolean): void {
  if (!isSound)
    throw new CommandError('The server does not have each sample exactly once: see above');
  if (enrolled === 0)
    throw new CommandError(
      `None of ${machines} machines enrolled: look at the failures above, and at the server's ACCEPTANCE_POLICY and NEW_MACHINES_PER_HOUR_MAX`,
    );
}
