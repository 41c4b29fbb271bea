import {
  type ImageTest,
  ImageTest_Status as Status,
  ImageTestService,
} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {Link} from '@tanstack/react-router';
import {useOperateReason} from '../../api/caller.ts';
import {Badge} from '../../ui/Badge.tsx';
import {Card} from '../../ui/blocks.tsx';
import {ButtonLink} from '../../ui/Button.tsx';
import {formatCount} from '../../ui/format.ts';
import {Loading} from '../../ui/Loading.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {statusChoices, testStatusLook, testTitle} from '../image-tests/test-words.ts';

/** As many as the server keeps of an image: the counts are of all of them. */
const pageSize = 100;
const newestMax = 5;

/** For what it was tested beside the boot tests of its build. */
export function ImageTestsCard({imageId}: {readonly imageId: string}) {
  const {data, error, refetch} = useQuery(ImageTestService.method.listImageTests, {
    imageId,
    pageSize,
  });
  const mayNot = useOperateReason('any');
  const tests = data?.imageTests;
  return (
    <Card
      flush
      title="Tests"
      actions={
        mayNot === undefined && (
          <ButtonLink
            to="/image-tests"
            search={{image: imageId, mode: 'new'}}
            kind="quiet"
            icon="test"
          >
            Test it
          </ButtonLink>
        )
      }
    >
      {!tests && (
        <div className="image-note">
          <Loading error={error} refetch={refetch} attempt="list its tests" lines={2} />
        </div>
      )}
      {tests?.length === 0 && (
        <p className="muted image-note">
          It was tested for nothing else: <code>muster image-tests create boot --image …</code>
        </p>
      )}
      {tests && tests.length > 0 && <NewestTests imageId={imageId} tests={tests} />}
    </Card>
  );
}

/** The newest, and how many there are of each result. */
function NewestTests({
  imageId,
  tests,
}: {
  readonly imageId: string;
  readonly tests: readonly ImageTest[];
}) {
  const counts = statusChoices
    .filter(({status}) => status !== Status.UNSPECIFIED)
    .map(choice => ({
      ...choice,
      count: tests.filter(({status}) => status === choice.status).length,
    }))
    .filter(({count}) => count > 0);
  return (
    <>
      <ul className="rows">
        {tests.slice(0, newestMax).map(test => (
          <li key={test.id}>
            <Badge look={testStatusLook(test.status)} />
            <Link to="/image-tests" search={{image: imageId, test: test.id}} className="grow">
              {testTitle(test)}
            </Link>
            <span className="muted">
              <RelativeTime time={test.createTime} />
            </span>
          </li>
        ))}
      </ul>
      <p className="image-note image-test-counts">
        <Link to="/image-tests" search={{image: imageId}}>
          All {formatCount(tests.length)}
        </Link>
        {counts.map(({value, label, count}) => (
          <Link key={value} to="/image-tests" search={{image: imageId, state: value}}>
            {label} {formatCount(count)}
          </Link>
        ))}
      </p>
    </>
  );
}
