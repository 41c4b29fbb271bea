import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {Code, ConnectError} from '@connectrpc/connect';
import {createQueryOptions} from '@connectrpc/connect-query';
import {
  createRootRouteWithContext,
  createRoute,
  Outlet,
  redirect,
  type RouteComponent,
} from '@tanstack/react-router';
import type {Api} from './api/prefetch.ts';
import {ErrorPage, ErrorPart} from './pages/ErrorPage.tsx';
import {NotFoundPage, NotFoundPart} from './pages/NotFoundPage.tsx';
import {texts} from './search-params.ts';
import {Skeleton} from './ui/blocks.tsx';
import {LoadingPage} from './ui/page-states.tsx';
import {Shell} from './ui/Shell.tsx';

export const root = createRootRouteWithContext<Api>()({
  component: Outlet,
  // An address that is like none of ours stands outside of the shell.
  notFoundComponent: () => (
    <main>
      <NotFoundPage />
    </main>
  ),
});

/** Everything that takes a session. */
export const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  component: Shell,
  beforeLoad: async ({context: {queryClient, transport}, location}) => {
    const caller = createQueryOptions(SessionService.method.getCaller, {}, {transport});
    try {
      await queryClient.ensureQueryData({...caller, revalidateIfStale: true});
    } catch (error) {
      if (ConnectError.from(error).code !== Code.Unauthenticated) throw error;
      throw redirect({
        to: '/sign-in',
        search: location.href === '/' ? {} : {next: location.href},
      });
    }
  },
});

/** A page inside, and which texts of the address it understands. */
export const page = <const Path extends string, const Name extends string>(
  path: Path,
  search: readonly Name[],
  component: RouteComponent,
) => createRoute({getParentRoute: () => shell, path, validateSearch: texts(...search), component});

/** In place of a whole page. */
export const pageStates = {
  defaultNotFoundComponent: NotFoundPage,
  defaultErrorComponent: ErrorPage,
  defaultPendingComponent: LoadingPage,
};

/** In place of what stands below the title of a page that is there. */
export const partStates = {
  pendingComponent: () => <Skeleton lines={8} />,
  errorComponent: ErrorPart,
  notFoundComponent: NotFoundPart,
};
