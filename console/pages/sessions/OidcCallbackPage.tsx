import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {useMutation} from '@connectrpc/connect-query';
import {useEffect, useRef} from 'react';
import {ButtonLink} from '../../ui/Button.tsx';
import {Skeleton} from '../../ui/blocks.tsx';
import {ErrorState} from '../../ui/states.tsx';
import {Door} from './Door.tsx';
import {useEnter} from './SignInPage.tsx';

/** Where the provider sends people back to. Its answer works once. */
export function OidcCallbackPage() {
  const enter = useEnter(sessionStorage.getItem('muster.next') ?? '/');
  const {mutate, error} = useMutation(SessionService.method.completeOidcLogin, {onSuccess: enter});
  const begun = useRef(false);
  useEffect(() => {
    if (begun.current) return;
    begun.current = true;
    mutate({callbackUrl: globalThis.location.href, cookie: true});
  }, [mutate]);
  return (
    <Door title="Signing in">
      {error ? (
        <>
          <ErrorState error={error} attempt="sign in" />
          <ButtonLink to="/sign-in">Back to the sign-in page</ButtonLink>
        </>
      ) : (
        <Skeleton lines={3} />
      )}
    </Door>
  );
}
