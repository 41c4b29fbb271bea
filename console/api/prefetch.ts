import type {DescMessage, DescMethodUnary, MessageInitShape} from '@bufbuild/protobuf';
import type {Transport} from '@connectrpc/connect';
import {createQueryOptions} from '@connectrpc/connect-query';
import type {QueryClient} from '@tanstack/react-query';

/** What every route may use (routes.tsx). */
export type Api = {readonly transport: Transport; readonly queryClient: QueryClient};

/**
 * For loaders: starts the query that the page will read, while the page's code is on its way. What goes wrong is shown by the page, which
 * asks again.
 */
export function prefetch<I extends DescMessage, O extends DescMessage>(
  {queryClient, transport}: Api,
  method: DescMethodUnary<I, O>,
  input: MessageInitShape<I>,
): void {
  void queryClient.prefetchQuery(createQueryOptions(method, input, {transport}));
}
