// A builder that a test kills while it builds: `node doomed-builder.ts MODULE` says where it works and what the build says.
import {stdout} from 'node:process';
import {recordContext, specOf, startNixLab} from './nix-lab.ts';

const lab = await startNixLab();
stdout.write(`${lab.directory}\n`);
const context = {...recordContext(), log: (line: string) => void stdout.write(`${line}\n`)};
const plan = await lab.backend.plan(specOf(process.argv[2] ?? ''), context);
await plan.build(await lab.artifacts(), context);
