import {useRouter} from '@tanstack/react-router';
import {ErrorState} from '../ui/states.tsx';

/** A page that could not be shown: its code did not arrive, or it has a mistake. */
export function ErrorPage({error, reset}: {readonly error: unknown; readonly reset: () => void}) {
  const router = useRouter();
  const isOldBuild = error instanceof Error && /dynamically imported module/i.test(error.message);
  return (
    <div className="page">
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
    </div>
  );
}
