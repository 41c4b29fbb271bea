import type {Sql} from '../store/db.ts';
import {appendEvent} from '../store/events.ts';
import {
  type ImageTest,
  type ImageTestChange,
  notifyTestQueue,
  updateImageTest,
} from '../store/image-tests.ts';
import {updated} from './changes.ts';
import type {Deps} from './deps.ts';

export type TestEnd = {
  readonly status: 'passed' | 'failed' | 'cancelled' | 'error';
  readonly actor: string;
  /** Empty when it passed. */
  readonly failure: string;
} & Pick<ImageTestChange, 'results' | 'screenshot' | 'serialLog'>;

/** The one way in which a test ends: row and event in the caller's transaction, which has locked the test. */
export const endTest =
  ({now, newId}: Pick<Deps, 'now' | 'newId'>) =>
  async (tx: Sql, test: ImageTest, end: TestEnd): Promise<void> => {
    const {id, machineId, testType, imagePath, names, attempt} = test;
    const {status, actor, failure} = end;
    const time = now();
    const given = Object.fromEntries(
      (['results', 'screenshot', 'serialLog'] as const).flatMap(name =>
        end[name] === undefined ? [] : [[name, end[name]]],
      ),
    );
    await updateImageTest(tx, id, {status, failure, endTime: time, ...given});
    await appendEvent(tx, {
      id: newId(),
      time,
      type: `image_test.${status}`,
      actor,
      machineId,
      subject: `image-tests/${id}`,
      data: {imagePath, testType, names, attempt, ...(failure ? {error: failure} : {})},
      change: updated({status: test.status, failure: test.failure}, {status, failure}),
    });
    await notifyTestQueue(tx, id);
  };
