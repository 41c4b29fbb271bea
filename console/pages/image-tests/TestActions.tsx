import {type ImageTest, ImageTestService} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {ImageService} from '@muster/proto/gen/muster/v1/images_pb.ts';
import {useNavigate} from '@tanstack/react-router';
import {useOperateReason} from '../../api/caller.ts';
import {useAction} from '../../api/use-action.ts';
import {Button} from '../../ui/Button.tsx';
import {isOver} from './test-words.ts';

/** Cancelling asks nothing: the same test can be run again. */
export function TestActions({test}: {readonly test: ImageTest}) {
  const navigate = useNavigate({from: '/image-tests'});
  const disabledReason = useOperateReason('any');
  const cancel = useAction(ImageTestService.method.cancelImageTest, {
    attempt: 'cancel the test',
    done: () => 'The test is being cancelled',
  });
  const retry = useAction(ImageTestService.method.retryImageTest, {
    attempt: 'run the test again',
    done: () => 'The test waits for a builder, as a new one',
    onDone: ({imageTest}) =>
      imageTest && void navigate({search: old => ({...old, test: imageTest.id, lines: undefined})}),
    also: [ImageService],
  });
  if (isOver(test))
    return (
      <Button
        icon="refresh"
        busy={retry.isPending}
        disabledReason={disabledReason}
        onClick={() => retry.mutate({id: test.id})}
      >
        Run it again
      </Button>
    );
  return (
    <Button
      icon="cross"
      busy={cancel.isPending || test.cancelRequested}
      disabledReason={disabledReason}
      onClick={() => cancel.mutate({id: test.id})}
    >
      {test.cancelRequested ? 'Is being cancelled' : 'Cancel the test'}
    </Button>
  );
}
