import {useRouter} from '@tanstack/react-router';
import {PageHeader} from '../ui/blocks.tsx';
import {ErrorState} from '../ui/states.tsx';

type Failed = {readonly error: unknown; readonly reset: () => void};

/** A page that could not be shown: its code did not arrive, or it has a mistake. */
export const ErrorPage = (failed: Failed) => (
  <div className="page">
    <PageHeader title="This page cannot be shown" />
    <ErrorPart {...failed} />
  </div>
);

/** The same of a part of a page that is there. */
export function ErrorPart({error, reset}: Failed) {
  const router = useRouter();
  const isOldBuild = error instanceof Error && /dynamically imported module/i.test(error.message);
  return (
    <ErrorState
      error={
        isOldBuild
          ? new Error('The console was replaced by a newer one: load the page again')
          : error
      }
      attempt="show this page"
      onRetry={() => {
        if (isOldBuild) globalThis.location.reload();
        reset();
        void router.invalidate();
      }}
    />
  );
}
