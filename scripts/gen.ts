// Brings the vendored protos into the git-ignored third_party/, then writes proto/gen with buf.
import {spawnSync} from 'node:child_process';
import {rmSync} from 'node:fs';
import {writeGrpcProtos, writeImportedProtos} from './vendored-protos.ts';

rmSync('third_party', {recursive: true, force: true});
writeImportedProtos('third_party');
writeGrpcProtos('third_party');

const {status} = spawnSync('node_modules/.bin/buf', ['generate'], {stdio: 'inherit'});
process.exitCode = status ?? 1;
