import type {Client} from '@connectrpc/connect';
import type {BootService, WatchBootAnswersResponse} from '@muster/proto/gen/muster/v1/boot_pb.ts';
import {answersMax, type BookChange} from './book.ts';

/**
 * Follows the server's answer book from `revision` on: calls `apply` with each consistent step. Messages of one step are held back until
 * the step is complete, so that the book never shows half a snapshot. Ends or throws when the stream does.
 */
export async function followAnswers({
  client,
  revision,
  apply,
  signal,
}: {
  readonly client: Pick<Client<typeof BootService>, 'watchBootAnswers'>;
  readonly revision: bigint;
  readonly apply: (change: BookChange) => void;
  readonly signal: AbortSignal;
}): Promise<void> {
  let step = emptyStep();
  for await (const message of client.watchBootAnswers({revision}, {signal})) {
    step = addToStep(step, message);
    if (!message.complete) continue;
    apply({...step, revision: message.revision});
    step = emptyStep();
  }
}

/** What a message of a stored book or a stream means on its own. */
export function changeOf(message: WatchBootAnswersResponse): BookChange {
  return {...addToStep(emptyStep(), message), revision: message.revision};
}

type Step = Omit<BookChange, 'revision' | 'answers' | 'removedMachineIds'> & {
  readonly answers: WatchBootAnswersResponse['answers'];
  readonly removedMachineIds: string[];
};

function emptyStep(): Step {
  return {reset: false, answers: [], removedMachineIds: [], images: undefined, settings: undefined};
}

function addToStep(step: Step, message: WatchBootAnswersResponse): Step {
  // A reset within a step: what came before it is void.
  const base = message.reset ? {...emptyStep(), reset: true} : step;
  const {answers, removedMachineIds} = base;
  answers.push(...message.answers);
  removedMachineIds.push(...message.removedMachineIds);
  if (answers.length > answersMax || removedMachineIds.length > answersMax)
    throw new Error(`Cannot take more than ${answersMax} boot answers in one step`);
  return {
    ...base,
    images: message.images ?? base.images,
    settings: message.settings ?? base.settings,
  };
}
