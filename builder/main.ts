import {describeSettings} from '@muster/runtime/config.ts';
import {createLogger} from '@muster/runtime/log.ts';
import {run} from '@muster/runtime/run.ts';
import {startBuilder} from './app.ts';
import {loadConfig, settings} from './config.ts';

const config = loadConfig();
const log = createLogger('builder', config.logLevel);
log.info({settings: describeSettings(settings, config)}, 'starting');
await run(log, signal => startBuilder(config, log, signal));
