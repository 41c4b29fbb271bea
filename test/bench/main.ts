// `npm run bench`: each row with its base in the same run, and the limit that the project promises.
import {stdout} from 'node:process';
import {parseArgs} from 'node:util';
import {benchAgent} from './agent.ts';
import {benchAudit} from './audit.ts';
import {benchBulk} from './bulk.ts';
import {benchConsole, consoleOptions} from './console.ts';
import {benchEdge} from './edge.ts';
import {benchFanOut} from './fan-out.ts';
import {benchFanOutWire} from './fan-out-wire.ts';
import {benchFleet, fleetOptions} from './fleet.ts';
import {benchHardware} from './hardware.ts';
import {benchMachines} from './machines.ts';
import {benchMetrics} from './metrics.ts';
import {benchSearch} from './search.ts';

const {values, positionals: wanted} = parseArgs({
  options: {...fleetOptions, ...consoleOptions},
  allowPositionals: true,
});

const benches: Readonly<Record<string, () => Promise<void>>> = {
  agent: benchAgent,
  audit: benchAudit,
  bulk: benchBulk,
  console: () => benchConsole(values),
  edge: benchEdge,
  'fan-out': benchFanOut,
  'fan-out-wire': benchFanOutWire,
  fleet: () => benchFleet(values),
  hardware: benchHardware,
  machines: benchMachines,
  metrics: benchMetrics,
  search: benchSearch,
};
/** Half an hour each, and a machine that does nothing else. */
const onlyWhenNamed: ReadonlySet<string> = new Set(['console', 'fleet']);

const unknown = wanted.filter(name => !Object.hasOwn(benches, name));
if (unknown.length > 0)
  throw new Error(
    `No bench called "${unknown.join('", "')}": there are ${Object.keys(benches).join(', ')}`,
  );

for (const [name, bench] of Object.entries(benches)) {
  if (wanted.length > 0 ? !wanted.includes(name) : onlyWhenNamed.has(name)) continue;
  stdout.write(`\n${name}\n`);
  await bench();
}
