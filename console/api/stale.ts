import type {DescMethod, DescService} from '@bufbuild/protobuf';
import type {QueryClient} from '@tanstack/react-query';

/** Whose answers are meant: those of a whole service, or of one method. */
export type Answers = DescService | DescMethod;

type InvalidateOptions = Parameters<QueryClient['invalidateQueries']>[1];

/** What is on the screen is loaded again at once, the rest when it is shown. */
export const reloadAnswers = (
  queryClient: QueryClient,
  answers: readonly Answers[],
  options: InvalidateOptions = {},
): Promise<void> =>
  queryClient.invalidateQueries(
    {predicate: ({queryKey}) => answers.some(each => isAnswerOf(each, queryKey))},
    options,
  );

function isAnswerOf(answers: Answers, [kind, key]: readonly unknown[]): boolean {
  if (kind !== 'connect-query' || typeof key !== 'object' || key === null) return false;
  if (!('serviceName' in key)) return false;
  if (answers.kind === 'service') return key.serviceName === answers.typeName;
  return (
    key.serviceName === answers.parent.typeName &&
    'methodName' in key &&
    key.methodName === answers.name
  );
}
