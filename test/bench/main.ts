// `npm run bench`: each row with its base in the same run, and the limit that the project promises.
import {argv, stdout} from 'node:process';
import {benchAgent} from './agent.ts';
import {benchAudit} from './audit.ts';
import {benchBulk} from './bulk.ts';
import {benchEdge} from './edge.ts';
import {benchFanOut} from './fan-out.ts';
import {benchFanOutWire} from './fan-out-wire.ts';
import {benchHardware} from './hardware.ts';
import {benchMachines} from './machines.ts';
import {benchMetrics} from './metrics.ts';
import {benchSearch} from './search.ts';

const benches: Readonly<Record<string, () => Promise<void>>> = {
  agent: benchAgent,
  audit: benchAudit,
  bulk: benchBulk,
  edge: benchEdge,
  'fan-out': benchFanOut,
  'fan-out-wire': benchFanOutWire,
  hardware: benchHardware,
  machines: benchMachines,
  metrics: benchMetrics,
  search: benchSearch,
};

const wanted = argv.slice(2);
const unknown = wanted.filter(name => !Object.hasOwn(benches, name));
if (unknown.length > 0)
  throw new Error(
    `No bench called "${unknown.join('", "')}": there are ${Object.keys(benches).join(', ')}`,
  );

for (const [name, bench] of Object.entries(benches)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  stdout.write(`\n${name}\n`);
  await bench();
}
