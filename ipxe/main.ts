import {createLogger} from '@muster/runtime/log.ts';
import {run} from '@muster/runtime/run.ts';
import {describeSettings} from '@muster/runtime/config.ts';
import {startEdge} from './app.ts';
import {edgeSettings, readConfig} from './config.ts';

const starting = createLogger('ipxe');
await run(starting, async () => {
  const config = readConfig();
  const log = createLogger('ipxe', config.logLevel);
  log.info({settings: describeSettings(edgeSettings, config)}, 'edge starts');
  return startEdge(config, log);
});
