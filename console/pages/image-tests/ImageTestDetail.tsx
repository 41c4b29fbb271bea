import {
  type ImageTest,
  ImageTest_Status as Status,
  ImageTestService,
} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {Code} from '@connectrpc/connect';
import {useQuery} from '@connectrpc/connect-query';
import {useNavigate, useSearch} from '@tanstack/react-router';
import {isCode} from '../../api/errors.ts';
import {LogCard, logFormOf} from '../../log/LogCard.tsx';
import {Badge} from '../../ui/Badge.tsx';
import {Card, PageHeader} from '../../ui/blocks.tsx';
import {ButtonLink} from '../../ui/Button.tsx';
import {AwaitedPage, MissingPage} from '../../ui/page-states.tsx';
import {Notice} from '../../ui/states.tsx';
import {TestActions} from './TestActions.tsx';
import {TestFacts} from './TestFacts.tsx';
import {TestResults} from './TestResults.tsx';
import {TestScreenshot} from './TestScreenshot.tsx';
import {isOver, testStatusLook, testTitle} from './test-words.ts';
import {useWatchedTest} from './use-watched-test.ts';

export function ImageTestDetail({id}: {readonly id: string}) {
  const {data, error, refetch} = useQuery(ImageTestService.method.getImageTest, {id});
  const test = data?.imageTest;
  if (isCode(error, Code.NotFound) || isCode(error, Code.InvalidArgument))
    return (
      <MissingPage title="There is no such test">
        <p>
          Of each image the newest 100 are kept, and only those for machines that you may see are
          shown. The id that was asked for: <span className="mono">{id}</span>
        </p>
        <ButtonLink to="/image-tests">To the image tests</ButtonLink>
      </MissingPage>
    );
  if (!test)
    return (
      <AwaitedPage
        title="Image test"
        error={error}
        attempt="load the test"
        onRetry={() => void refetch()}
      />
    );
  return <LoadedTest test={test} />;
}

function LoadedTest({test}: {readonly test: ImageTest}) {
  return (
    <div className="page">
      <ButtonLink
        to="/image-tests"
        search={({image, state, type, machine}) => ({image, state, type, machine})}
        kind="quiet"
        icon="left"
        className="test-back"
      >
        Image tests
      </ButtonLink>
      <PageHeader
        title={testTitle(test)}
        beside={<Badge look={testStatusLook(test.status)} />}
        actions={<TestActions test={test} />}
      />
      <div aria-live="polite">
        <Verdict test={test} />
      </div>
      <div className="test-parts">
        <Card title="Results" flush>
          <TestResults test={test} />
        </Card>
        <Card title="This test">
          <TestFacts test={test} />
        </Card>
      </div>
      {test.screenshot && <TestScreenshot test={test} sha256={test.screenshot.sha256} />}
      <SerialLog test={test} />
    </div>
  );
}

/** What came of it, and what to do; commands of it can be copied as they are. */
function Verdict({test}: {readonly test: ImageTest}) {
  const {status, failure, nextStep, stage, cancelRequested} = test;
  if (status === Status.PASSED) return null;
  const look = testStatusLook(status);
  const words: Readonly<Record<number, string>> = {
    [Status.PENDING]: 'It waits for a builder',
    [Status.RUNNING]: `It runs${stage === '' ? '' : `, and has come to: ${stage}`}`,
    [Status.FAILED]: 'The image did not pass',
    [Status.CANCELLED]: 'It was cancelled',
    [Status.ERROR]: 'It could not be carried out: that says nothing about the image',
  };
  return (
    <Notice tone={look.tone} icon={look.icon}>
      <strong>
        {cancelRequested && !isOver(test) ? 'It is being cancelled' : (words[status] ?? look.word)}
      </strong>
      {failure !== '' && <p className="test-words">{failure}</p>}
      {/* What runs is watched here. */}
      {nextStep !== '' && status !== Status.RUNNING && <p className="test-words">{nextStep}</p>}
    </Notice>
  );
}

function SerialLog({test}: {readonly test: ImageTest}) {
  const log = useWatchedTest(test.id);
  const {lines, log: form} = useSearch({from: '/shell/image-tests'});
  const navigate = useNavigate({from: '/image-tests'});
  const isLive = !isOver(test);
  const show = (part: {readonly lines?: string | undefined; readonly log?: string | undefined}) =>
    void navigate({search: old => ({...old, ...part}), replace: true, resetScroll: false});
  return (
    <LogCard
      title="Serial console"
      over="The test is over"
      label={`Serial console of test ${test.id.slice(0, 8)}`}
      log={log}
      isLive={isLive}
      fileName={`image-test-${test.id}.log`}
      chosen={lines}
      onChoose={chosen => show({lines: chosen})}
      form={{
        value: logFormOf(form),
        onChange: value => show({log: value === 'terminal' ? value : undefined}),
      }}
      empty={
        isLive
          ? 'Nothing was written yet. Lines appear here as the machine writes them.'
          : 'Nothing is kept: the machine wrote nothing, or was never started.'
      }
    />
  );
}
