// Brings the vendored protos into the git-ignored third_party/, then writes proto/gen with buf.
import {spawnSync} from 'node:child_process';
import {cpSync, mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {printValidateProto} from './print-validate-proto.ts';

rmSync('third_party', {recursive: true, force: true});
mkdirSync('third_party/buf/validate', {recursive: true});
mkdirSync('third_party/google/api', {recursive: true});
writeFileSync('third_party/buf/validate/validate.proto', printValidateProto());
for (const file of ['annotations', 'http'])
  cpSync(
    `node_modules/google-proto-files/google/api/${file}.proto`,
    `third_party/google/api/${file}.proto`,
  );

const grpcProtos = {
  'health/v1/health.proto': 'grpc-health-check/proto/health/v1/health.proto',
  'reflection/v1/reflection.proto':
    '@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto',
  'reflection/v1alpha/reflection.proto':
    '@grpc/reflection/build/proto/grpc/reflection/v1alpha/reflection.proto',
};
for (const [to, from] of Object.entries(grpcProtos))
  cpSync(`node_modules/${from}`, `third_party/grpc/${to}`);

const {status} = spawnSync('node_modules/.bin/buf', ['generate'], {stdio: 'inherit'});
process.exitCode = status ?? 1;
