import type {ServiceImpl} from '@connectrpc/connect';
import type {ImageService} from '@muster/proto/gen/muster/v1/images_pb.ts';
import type {ImageCollection} from '../domain/image-collection.ts';
import type {Images} from '../domain/images.ts';
import {callerKey} from './caller.ts';
import {fromEnum, imageKinds, toImageMessage} from './image-messages.ts';

export const imageService = (
  images: Images,
  collection: ImageCollection,
): ServiceImpl<typeof ImageService> => ({
  async listImages({pageSize, pageToken, kind}) {
    const page = await images.list({
      kind: fromEnum(imageKinds, kind, 'kind'),
      pageSize,
      pageToken,
    });
    return {images: page.images.map(toImageMessage), nextPageToken: page.nextPageToken};
  },

  async getImage({id}) {
    return {image: toImageMessage(await images.get(id))};
  },

  async collectImages({dryRun, minimumAgeHours}, {values}) {
    const {name} = values.get(callerKey);
    const {imageIds, fileCount, freedBytes} = await collection.collect(name, {
      dryRun,
      minimumAgeHours,
    });
    return {imageIds: [...imageIds], fileCount, freedBytes: BigInt(freedBytes)};
  },
});
