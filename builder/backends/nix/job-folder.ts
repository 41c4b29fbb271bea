import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {toJson} from '@bufbuild/protobuf';
import {type BuildSpec, MachineFactsSchema} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {Image_Kind} from '@muster/proto/gen/muster/v1/images_pb.ts';
import type {Json} from '../../digests.ts';
import {type Pins, referenceOf} from './pins.ts';

export type JobFolder = AsyncDisposable & {
  readonly directory: string;
  /** "machine" or "registration": the output of the job's flake. */
  readonly output: string;
  /** What people wrote, by file name in the job; the machine's own module first. */
  readonly sources: ReadonlyMap<string, string>;
};

const operatorFile = 'operator.nix';
const templateName = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/** Writes everything that an evaluation sees. Values of others are data here (JSON), never parts of Nix code. */
export async function writeJobFolder(
  jobsDirectory: string,
  spec: BuildSpec,
  pins: Pins,
): Promise<JobFolder> {
  await mkdir(jobsDirectory, {recursive: true});
  const directory = await mkdtemp(path.join(jobsDirectory, 'job-'));
  const sources = new Map<string, string>();
  if (spec.nixosConfig !== '') sources.set(operatorFile, spec.nixosConfig);
  for (const {name, nixosModule} of spec.templates) {
    if (!templateName.test(name)) throw new Error(`Cannot use a template named "${name}"`);
    sources.set(`templates/${name}.nix`, nixosModule);
  }

  const files = new Map([
    ...sources,
    ['flake.nix', renderFlake(pins)],
    ['flake.lock', `${JSON.stringify(pins.lock, undefined, 2)}\n`],
    ['machine.json', `${JSON.stringify(describeMachine(spec), undefined, 2)}\n`],
  ]);
  await mkdir(path.join(directory, 'templates'));
  for (const [name, text] of files) await writeFile(path.join(directory, name), text);
  return {
    directory,
    output: spec.kind === Image_Kind.REGISTRATION ? 'registration' : 'machine',
    sources,
    [Symbol.asyncDispose]: () => rm(directory, {recursive: true, force: true}),
  };
}

function describeMachine({facts, templates}: BuildSpec): Json {
  const described = (facts ? toJson(MachineFactsSchema, facts) : {}) as Readonly<
    Record<string, Json>
  >;
  return {
    // Proto-JSON writes 64-bit numbers as text; memory in bytes is far below 2^53.
    facts: {
      ...described,
      ...(facts && facts.memoryBytes > 0n && {memoryBytes: Number(facts.memoryBytes)}),
    },
    templates: templates.map(({name, version, parameters}) => ({
      name,
      version,
      parameters: (parameters ?? {}) as Json,
    })),
  };
}

/** The references are those of this builder's own pins. */
const renderFlake = ({nixpkgs, muster}: Pins): string => `# Written by Muster for one job.
{
  inputs.nixpkgs.url = "${referenceOf(nixpkgs)}";
  inputs.muster.url = "${referenceOf(muster)}";
  inputs.muster.inputs.nixpkgs.follows = "nixpkgs";

  outputs = {self, nixpkgs, muster}: let
    job = builtins.fromJSON (builtins.readFile ./machine.json);
    # As lib.setDefaultModuleLocation: errors name the template.
    template = {name, parameters, ...}: {
      _file = "templates/\${name}";
      imports = [(import (./templates + "/\${name}.nix") parameters)];
    };
    operator = if builtins.pathExists ./${operatorFile} then [./${operatorFile}] else [];
  in {
    machine = muster.lib.machineImage {
      inherit (job) facts;
      modules = map template job.templates ++ operator;
    };
    registration = muster.lib.registrationImage {};
  };
}
`;
