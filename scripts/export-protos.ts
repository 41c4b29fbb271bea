// `npm run protos FOLDER`: the contract with everything it imports as one tree, ready for any protoc (docs/clients.md).
import {cpSync} from 'node:fs';
import {argv, stdout} from 'node:process';
import {writeImportedProtos} from './vendored-protos.ts';

const [, , folder] = argv;
if (!folder)
  throw new Error('Cannot export the protos: name a folder, as in "npm run protos protos"');
cpSync('proto/muster', `${folder}/muster`, {recursive: true});
writeImportedProtos(folder);
stdout.write(`Wrote the contract and what it imports to ${folder}\n`);
