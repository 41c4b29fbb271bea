import {access, constants} from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import {type BuildSpec} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {Image_Kind, Image_Variant} from '@muster/proto/gen/muster/v1/images_pb.ts';
import type {Cache} from '../../cache.ts';
import {programPath, runProgram} from '../../process.ts';
import type {Backend, BuildContext, BuildPlan} from '../backend.ts';
import {createApt} from './apt.ts';
import type {KernelVariant} from './kernel.ts';
import {planMachine} from './machine.ts';
import {planRegistration} from './registration.ts';

export type DebianOptions = {
  readonly cache: Cache;
  /** Package lists and packages, apart from the host's. */
  readonly aptDirectory: string;
  readonly nodeBinary: string;
  readonly agentBundle: string;
  readonly env: Readonly<Record<string, string>>;
};

/** Each program that the back end runs and the Debian package that brings it. */
const needs: readonly (readonly [program: string, debianPackage: string])[] = [
  ['apt-get', 'apt'],
  ['dpkg-deb', 'dpkg'],
  ['depmod', 'kmod'],
  ['modinfo', 'kmod'],
  ['strip', 'binutils'],
  ['readelf', 'binutils'],
  ['mmdebstrap', 'mmdebstrap'],
  ['mksquashfs', 'squashfs-tools'],
  ['setpriv', 'util-linux'],
  ['unshare', 'util-linux'],
];

/** Images from Debian packages, on a Debian host as root, with the host's own apt sources. */
export function createDebianBackend(options: DebianOptions): Backend {
  const apt = createApt({directory: options.aptDirectory, env: options.env});
  const deps = {...options, apt};

  return {
    name: 'debian',
    steps: [
      {name: 'resolve', weight: 4},
      {name: 'base', weight: 26},
      {name: 'kernel', weight: 8},
      {name: 'layers', weight: 5},
    ],

    async findMissing() {
      if (process.arch !== 'x64')
        return `Cannot build with debian: this host is ${process.arch}, images are for x64`;
      if (process.getuid?.() !== 0)
        return 'Cannot build with debian: the builder does not run as root, which mmdebstrap needs';
      const missing: string[] = [];
      for (const [program, debianPackage] of needs)
        if (!(await isInPath(program))) missing.push(debianPackage);
      if (missing.length > 0)
        return `Cannot build with debian: install ${[...new Set(missing)].join(', ')}`;
      for (const file of [options.nodeBinary, options.agentBundle])
        if (!(await exists(file))) return `Cannot build with debian: there is no "${file}"`;
      return findMissingRights();
    },

    async plan(spec: BuildSpec, context: BuildContext): Promise<BuildPlan> {
      const variant = variantOf(spec.variant);
      switch (spec.kind) {
        case Image_Kind.REGISTRATION:
          return planRegistration(deps, variant, context);
        case Image_Kind.MACHINE:
          if (!spec.imageConfig)
            throw new Error('Cannot build with debian: the machine has no image_config');
          return planMachine(deps, {variant, config: spec.imageConfig}, context);
        default:
          throw new Error(`Cannot build an image of kind ${spec.kind} with debian`);
      }
    },
  };
}

/** Without a wish it must run anywhere. */
const variantOf = (variant: Image_Variant): KernelVariant =>
  variant === Image_Variant.VIRTUAL ? 'virtual' : 'full';

/** A container may run as root and yet have no right to namespaces and mounts. */
async function findMissingRights(): Promise<string | undefined> {
  return runProgram('true', [], {
    signal: AbortSignal.timeout(rightsTimeoutMs),
    contained: true,
  }).then(
    () => undefined,
    (error: unknown) =>
      `Cannot build with debian: no right to PID and mount namespaces here (${error instanceof Error ? error.message : String(error)})`,
  );
}

const rightsTimeoutMs = 10_000;

async function isInPath(program: string): Promise<boolean> {
  for (const directory of programPath.split(':'))
    if (await exists(path.join(directory, program))) return true;
  return false;
}

const exists = (file: string): Promise<boolean> =>
  access(file, constants.R_OK).then(
    () => true,
    () => false,
  );
