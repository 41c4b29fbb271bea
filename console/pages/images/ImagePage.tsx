import {type Image, ImageService} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {Code} from '@connectrpc/connect';
import {useQuery} from '@connectrpc/connect-query';
import {Link, useParams} from '@tanstack/react-router';
import {isCode} from '../../api/errors.ts';
import {Badge} from '../../ui/Badge.tsx';
import {Card, KeyValues, PageHeader} from '../../ui/blocks.tsx';
import {ButtonLink} from '../../ui/Button.tsx';
import {CopyButton} from '../../ui/CopyButton.tsx';
import {formatBytes} from '../../ui/format.ts';
import {Identifier} from '../../ui/Identifier.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {AwaitedPage, MissingPage} from '../../ui/page-states.tsx';
import {BootTests} from './BootTests.tsx';
import {bootTestLook} from './image-columns.tsx';
import {imageBytes} from './image-files.ts';
import {imageKindWord, imageVariantWord, shortImageId} from './image-words.ts';
import {ImageFiles} from './ImageFiles.tsx';
import {ImageMachines} from './ImageMachines.tsx';
import {ImageTestsCard} from './ImageTestsCard.tsx';
import './images.css';

export function ImagePage() {
  const {id} = useParams({from: '/shell/images/$id'});
  const {data, error, refetch} = useQuery(ImageService.method.getImage, {id});
  const image = data?.image;
  if (isCode(error, Code.NotFound) || isCode(error, Code.InvalidArgument))
    return (
      <MissingPage title="There is no such image">
        <p>It may have been collected: no machine had a use for it any more.</p>
        <p className="mono muted image-digest">{id}</p>
        <ButtonLink to="/images">To the images</ButtonLink>
      </MissingPage>
    );
  if (!image)
    return (
      <AwaitedPage
        title="Image"
        error={error}
        attempt="load the image"
        onRetry={() => void refetch()}
      />
    );
  return (
    <div className="page">
      <PageHeader
        title={
          <>
            Image <span className="mono">{shortImageId(image.id)}</span>
          </>
        }
        beside={<Badge look={bootTestLook(image)} title="Boot tests" />}
        actions={
          <>
            <ButtonLink icon="boot" to="/boot" search={{image: image.id}}>
              Its boots
            </ButtonLink>
            {image.buildId && (
              <ButtonLink icon="build" to="/builds/$id" params={{id: image.buildId}}>
                To its build
              </ButtonLink>
            )}
          </>
        }
      />
      <div className="image-parts">
        <Card title="Manifest">
          <Manifest image={image} />
        </Card>
        <Card title="Boot tests" flush>
          {image.bootTests.length > 0 ? (
            <BootTests tests={image.bootTests} />
          ) : (
            <p className="muted image-note">
              It was not boot-tested: its builder has no QEMU, or it was uploaded.
            </p>
          )}
        </Card>
      </div>
      <Card title="Files" flush>
        <ImageFiles image={image} />
      </Card>
      <ImageTestsCard imageId={image.id} />
      <ImageMachines image={image} />
    </div>
  );
}

function Manifest({image}: {readonly image: Image}) {
  return (
    <KeyValues
      entries={[
        [
          'Digest',
          <span key="digest" className="mono image-digest">
            {image.id}
            <CopyButton text={image.id} what="the digest" />
          </span>,
        ],
        ['Kind', `${imageKindWord(image.kind)}, for ${imageVariantWord(image.variant)}`],
        ['Built with', image.backend],
        ['Size', `${formatBytes(imageBytes(image))} to fetch`],
        [
          'Needs memory',
          image.memoryRequiredBytes > 0n
            ? `at least ${formatBytes(image.memoryRequiredBytes)}`
            : undefined,
        ],
        [
          'Command line',
          image.commandLine === '' ? undefined : (
            <span className="mono image-digest">
              {image.commandLine}
              <CopyButton text={image.commandLine} what="the command line" />
            </span>
          ),
        ],
        [
          'Input key',
          <Identifier key="input" id={image.inputKey} what="the input key" characters={24} />,
        ],
        ['Made', <RelativeTime key="made" time={image.createTime} />],
        [
          'Build',
          image.buildId ? (
            <Link to="/builds/$id" params={{id: image.buildId}} className="mono">
              {image.buildId.slice(0, 8)}
            </Link>
          ) : undefined,
        ],
      ]}
    />
  );
}
