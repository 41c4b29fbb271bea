import type {ServiceImpl} from '@connectrpc/connect';
import type {StorePathService} from '@muster/proto/gen/muster/v1/store_paths_pb.ts';
import type {StorePaths} from '../domain/store-paths.ts';
import {callerKey} from './caller.ts';

export const storePathService = (storePaths: StorePaths): ServiceImpl<typeof StorePathService> => ({
  async findMissingStorePaths({hashes}) {
    return {hashes: [...(await storePaths.findMissing(hashes))]};
  },

  async publishStorePaths({publicKey, narinfos}) {
    await storePaths.publish(publicKey, narinfos);
    return {};
  },

  async publishSystem({inputKey, hashes}, {values}) {
    await storePaths.publishSystem(values.get(callerKey).name, {inputKey, hashes});
    return {};
  },

  async findStorePath({key}) {
    const found =
      key.case === undefined
        ? undefined
        : await storePaths.find(key.case === 'hash' ? {hash: key.value} : {narSha256: key.value});
    if (!found) return {};
    const {hash, narinfo, narSha256, narSizeBytes} = found;
    return {storePath: {hash, narinfo, narSha256, narSizeBytes: BigInt(narSizeBytes)}};
  },
});
