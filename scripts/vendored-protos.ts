import {cpSync, mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {printValidateProto} from './print-validate-proto.ts';

/** Writes what the contract imports from others, from npm packages: no schema registry is asked. */
export function writeImportedProtos(folder: string): void {
  mkdirSync(join(folder, 'buf/validate'), {recursive: true});
  writeFileSync(join(folder, 'buf/validate/validate.proto'), printValidateProto());
  for (const file of ['annotations', 'http'])
    copy(`google-proto-files/google/api/${file}.proto`, join(folder, `google/api/${file}.proto`));
}

const grpcProtos = {
  'health/v1/health.proto': 'grpc-health-check/proto/health/v1/health.proto',
  'reflection/v1/reflection.proto':
    '@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto',
  'reflection/v1alpha/reflection.proto':
    '@grpc/reflection/build/proto/grpc/reflection/v1alpha/reflection.proto',
};

/** Services that are gRPC's own. Clients have them in their gRPC library. */
export function writeGrpcProtos(folder: string): void {
  for (const [to, from] of Object.entries(grpcProtos)) copy(from, join(folder, 'grpc', to));
}

const copy = (from: string, to: string) => cpSync(join('node_modules', from), to);
