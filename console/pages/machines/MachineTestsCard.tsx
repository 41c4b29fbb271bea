import {ImageTestService} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {Link} from '@tanstack/react-router';
import {Badge} from '../../ui/Badge.tsx';
import {Card} from '../../ui/blocks.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {TestedImage} from '../image-tests/test-columns.tsx';
import {testStatusLook, testTitle} from '../image-tests/test-words.ts';

const newestMax = 3;

/** Tests of images that were asked for this machine, by its gates or by hand. */
export function MachineTestsCard({machineId}: {readonly machineId: string}) {
  const {data, error, refetch} = useQuery(ImageTestService.method.listImageTests, {
    machineId,
    pageSize: newestMax,
  });
  const tests = data?.imageTests;
  return (
    <Card
      flush
      title="Tests of images for it"
      actions={
        <Link to="/image-tests" search={{machine: machineId}}>
          All of them
        </Link>
      }
    >
      <ErrorState error={error} attempt="list its tests" onRetry={() => void refetch()} />
      {tests?.length === 0 && (
        <p className="rows-none">
          None was asked for: <code>muster image-tests create hello --machine {machineId} …</code>
        </p>
      )}
      <ul className="rows">
        {tests?.map(test => (
          <li key={test.id}>
            <Badge look={testStatusLook(test.status)} />
            <Link to="/image-tests" search={{machine: machineId, test: test.id}} className="grow">
              {testTitle(test)}
            </Link>
            <TestedImage test={test} />
            <span className="muted">
              <RelativeTime time={test.createTime} />
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
