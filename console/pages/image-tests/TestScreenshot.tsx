import {type ImageTest, ImageTestService} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {useEffect, useState} from 'react';
import {Card, Skeleton} from '../../ui/blocks.tsx';
import {Icon} from '../../ui/icons.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {testTitle} from './test-words.ts';

type ScreenshotProps = {readonly test: ImageTest; readonly sha256: string};

/** The screen at the end; opened large by a click. */
export function TestScreenshot({test, sha256}: ScreenshotProps) {
  const {data, error, refetch} = useQuery(
    ImageTestService.method.getImageTestScreenshot,
    {id: test.id},
    {staleTime: Infinity},
  );
  const url = usePictureUrl(data?.png);
  const words = `Screen of the virtual machine at the end of the test “${testTitle(test)}”`;
  return (
    <Card
      title="Screen at the end"
      actions={
        <a
          className="button quiet"
          href={`/blobs/sha256/${sha256}`}
          download={`image-test-${test.id}.png`}
        >
          <Icon name="download" />
          Download
        </a>
      }
    >
      {error && (
        <ErrorState error={error} attempt="load the screenshot" onRetry={() => void refetch()} />
      )}
      {!error && url === undefined && <Skeleton lines={6} />}
      {url !== undefined && (
        <a href={url} target="_blank" rel="noopener" title="Open it in its full size">
          <img className="test-screen" src={url} alt={words} />
        </a>
      )}
    </Card>
  );
}

function usePictureUrl(png: Uint8Array | undefined): string | undefined {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    if (!png) return undefined;
    const made = URL.createObjectURL(new Blob([Uint8Array.from(png)], {type: 'image/png'}));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [png]);
  return url;
}
