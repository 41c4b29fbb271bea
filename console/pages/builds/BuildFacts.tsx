import type {Build} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {ServiceService} from '@muster/proto/gen/muster/v1/services_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {useNow} from '../../hooks/use-now.ts';
import {KeyValues} from '../../ui/blocks.tsx';
import {formatDuration} from '../../ui/format.ts';
import {Identifier} from '../../ui/Identifier.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {imageKindWord, imageVariantWord} from '../images/image-words.ts';
import {durationMs} from './build-words.ts';

export function BuildFacts({build}: {readonly build: Build}) {
  const now = useNow();
  const operation = build.operation;
  const took = operation && durationMs(operation, now);
  return (
    <KeyValues
      entries={[
        ['Kind', `${imageKindWord(build.kind)}, for ${imageVariantWord(build.variant)}`],
        ['Built with', build.backend],
        ['Builder', build.builderId && <BuilderName id={build.builderId} />],
        ['Attempt', build.attempt > 1 ? `${build.attempt} (a builder was lost before)` : undefined],
        [
          'From the store',
          build.cached ? 'An image with the same inputs was there: nothing was built' : undefined,
        ],
        ['Asked for by', operation?.actor],
        ['Asked for', <RelativeTime key="created" time={operation?.createTime} />],
        ['Began', operation?.startTime && <RelativeTime time={operation.startTime} />],
        ['Took', operation?.endTime && took !== undefined ? formatDuration(took) : undefined],
        ['Build', <Identifier key="id" id={build.id} what="the id of the build" />],
        [
          'Image',
          build.imageId && (
            <Identifier id={build.imageId} what="the digest of the image" characters={12} />
          ),
        ],
      ]}
    />
  );
}

export function BuilderName({id}: {readonly id: string}) {
  const {data} = useQuery(ServiceService.method.listServices, {}, {staleTime: 60_000});
  const name = data?.services.find(service => service.id === id)?.name;
  return name ? (
    <span title={id}>{name}</span>
  ) : (
    <Identifier id={id} what="the id of the builder" />
  );
}
