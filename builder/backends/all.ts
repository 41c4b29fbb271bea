import {rm} from 'node:fs/promises';
import path from 'node:path';
import type {Logger} from '@muster/runtime/log.ts';
import {findMissingForBootTests} from '../boot-tests/qemu.ts';
import {openCache} from '../cache.ts';
import {cacheEntriesMax, type Config, programEnvironment} from '../config.ts';
import type {Backend} from './backend.ts';
import {createDebianBackend} from './debian/debian.ts';
import {openBinaryCache} from './nix/binary-cache.ts';
import {createNixBackend} from './nix/nix.ts';

/** Every back end of this builder, whether or not this host has what it needs. */
export async function openBackends(config: Config, log: Logger): Promise<readonly Backend[]> {
  const debian = createDebianBackend({
    cache: await openCache(path.join(config.stateDirectory, 'cache'), cacheEntriesMax),
    aptDirectory: path.join(config.stateDirectory, 'apt'),
    nodeBinary: config.nodeBinary,
    agentBundle: config.agentBundle,
    env: programEnvironment(config),
  });
  return [debian, await openNixBackend(config, log)].map(backend => ({
    ...backend,
    findMissing: async () =>
      (await backend.findMissing()) ?? (await findMissingForBootTests(config.bootTestFirmwares)),
  }));
}

async function openNixBackend(config: Config, log: Logger): Promise<Backend> {
  const stateDirectory = path.join(config.stateDirectory, 'nix');
  // A builder that was killed leaves its jobs.
  await rm(path.join(stateDirectory, 'jobs'), {recursive: true, force: true});
  const binaryCache =
    config.nixCacheBytesMax > 0
      ? await openBinaryCache(stateDirectory, config.nixCacheBytesMax)
      : undefined;
  if (binaryCache) {
    const {directory, publicKey} = binaryCache;
    log.info({directory, publicKey}, 'binary cache of the systems that are built here');
  }
  return createNixBackend({
    stateDirectory,
    programDirectory: config.nixProgramsDirectory,
    storeDirectory: config.nixStoreRoot,
    substituters: config.nixSubstituters,
    trustedPublicKeys: config.nixTrustedPublicKeys,
    sandbox: config.nixSandbox,
    sandboxPaths: config.nixSandboxPaths,
    maxJobs: config.nixMaxJobs,
    httpEnvironment: programEnvironment(config),
    flake: config.nixFlake,
    nixpkgs: config.nixNixpkgs,
    allowDaemon: config.nixAllowDaemon,
    collectGarbage: config.nixCollectGarbage,
    limits: {
      evaluationSeconds: config.nixEvaluationTimeLimitSeconds,
      evaluationMemoryBytes: config.nixEvaluationMemoryBytesMax,
      buildSeconds: config.buildTimeLimitSeconds,
      silenceSeconds: config.nixSilenceLimitSeconds,
      buildLogBytes: config.nixBuildLogBytesMax,
    },
    binaryCache,
    publishBytesMax: config.nixPublishBytesMax,
  });
}
