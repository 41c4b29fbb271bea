// A worker in a process of its own, for tests that kill it: arguments are the server's URL, the address of NATS and a work directory; the NATS
// credential comes on standard input. Prints the process id of the program that its build runs.
import {text} from 'node:stream/consumers';
import {connect, jwtAuthenticator} from '@nats-io/transport-node';
import {busOptions} from '@muster/runtime/bus.ts';
import {runProgram} from '@muster/builder/process.ts';
import {startLabWorker} from './build-lab.ts';

const [serverUrl = '', address = '', directory = ''] = process.argv.slice(2);
const {ca, jwt, seed} = JSON.parse(await text(process.stdin)) as Record<
  'ca' | 'jwt' | 'seed',
  string
>;
const connection = await connect({
  ...busOptions({servers: [address], siteCa: ca, name: 'worker'}),
  authenticator: jwtAuthenticator(jwt, Buffer.from(seed)),
});
startLabWorker({
  serverUrl,
  connection,
  directory,
  backends: [
    {
      name: 'debian',
      steps: [],
      findMissing: async () => undefined,
      plan: async (_, {signal}) => {
        const onLine = (line: string) => process.stdout.write(`${line}\n`);
        await runProgram('sh', ['-c', 'echo $$; exec sleep 600'], {signal, onLine});
        throw new Error('sleep ended by itself');
      },
    },
  ],
  buildTimeLimitSeconds: 600,
});
