import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {useQuery} from '@connectrpc/connect-query';
import {Card, KeyValues} from '../../ui/blocks.tsx';
import {CopyButton} from '../../ui/CopyButton.tsx';
import {Loading} from '../../ui/Loading.tsx';
import './people.css';

/** How people get in. The server is told by its settings (docs/people.md), so this page tells and changes nothing. */
export function SignInTab() {
  const {data, error, refetch} = useQuery(SessionService.method.getSignInOptions, {});
  if (!data)
    return <Loading error={error} refetch={refetch} attempt="ask how people sign in" lines={6} />;
  return (
    <div className="people-cards">
      <Card title="Password">
        <div className="prose">
          <p>
            Always there, for users that are made here. Failures are throttled by account and
            address; an administrator makes a code for whoever has forgotten it.
          </p>
        </div>
      </Card>
      <ProviderCard isOn={data.oidc} name={data.oidcName} />
      <Card title="Client certificate">
        <div className="prose">
          <p>
            With <code>TLS_CLIENT_CA_FILE</code>, a certificate of those CAs is a login on the TLS
            port for the user whose subject it has. Set the subject at the user.
          </p>
        </div>
      </Card>
    </div>
  );
}

function ProviderCard({isOn, name}: {readonly isOn: boolean; readonly name: string}) {
  const callback = `${globalThis.location.origin}/oidc/callback`;
  return (
    <Card title={isOn ? `OpenID Connect: ${name}` : 'OpenID Connect: not set up'}>
      <div className="prose">
        <p>
          {isOn
            ? 'People are made at their first sign-in; their role follows the provider’s claim at each. Whoever has no role there is not let in.'
            : 'To let people sign in at a provider, start the server with these settings:'}
        </p>
        {!isOn && (
          <div className="settings-list">
            <KeyValues
              entries={[
                ['OIDC_ISSUER', 'its address, as https://id.example.net/realms/ops'],
                ['OIDC_CLIENT_ID', 'and OIDC_CLIENT_SECRET_FILE when it gave one'],
                ['OIDC_ROLE_CLAIM', 'the claim with the groups: groups'],
                ['OIDC_ROLES', 'muster-admins=admin,ops=operator'],
              ]}
            />
          </div>
        )}
        <p>Register this address at the provider for the console:</p>
        <p>
          <code>{callback}</code> <CopyButton text={callback} what="the address" />
        </p>
        <p className="muted">
          It has to be below PUBLIC_URL or in OIDC_REDIRECT_URLS. The command line takes{' '}
          <code>http://127.0.0.1/callback</code>, for any port.
        </p>
      </div>
    </Card>
  );
}
