import {Permission} from '@muster/proto/gen/muster/v1/options_pb.ts';
import {ServiceService} from '@muster/proto/gen/muster/v1/services_pb.ts';
import {SessionService} from '@muster/proto/gen/muster/v1/sessions_pb.ts';
import {useMutation, useQuery} from '@connectrpc/connect-query';
import {useReason} from '../../api/use-reason.ts';
import {Card, KeyValues} from '../../ui/blocks.tsx';
import {Button} from '../../ui/Button.tsx';
import {CopyButton} from '../../ui/CopyButton.tsx';
import {ErrorState} from '../../ui/states.tsx';
import './settings.css';

/** What the server is. Its settings are its environment (docs/configuration.md): they are told here and changed there. */
export function ServerTab() {
  return (
    <div className="settings-cards">
      <ServerCard />
      <RetentionCard />
      <NatsCard />
    </div>
  );
}

function ServerCard() {
  const {data, error, refetch} = useQuery(SessionService.method.getSignInOptions, {});
  const {origin} = globalThis.location;
  return (
    <Card title="Server">
      {error && !data ? (
        <ErrorState error={error} attempt="ask the server" onRetry={() => void refetch()} />
      ) : (
        <KeyValues
          entries={[
            ['Version', data?.serverVersion ?? '…'],
            [
              'Address',
              <>
                <span className="mono">{origin}</span>{' '}
                <CopyButton text={origin} what="the address" />
              </>,
            ],
            ['Sign-in', data?.oidc ? `password, ${data.oidcName}` : 'password'],
            ['Interfaces', <Interfaces />],
          ]}
        />
      )}
    </Card>
  );
}

const Interfaces = () => (
  <span className="settings-links">
    <a href="/api-docs">Reference of the API</a>
    <a href="/openapi.json">OpenAPI</a>
    <a href="/metrics">Metrics for Prometheus</a>
  </span>
);

// docs/configuration.md has each with its default.
const retentions = [
  ['AUDIT_RETENTION_DAYS', 'entries of the audit', '730 days'],
  ['HARDWARE_HISTORY_DAYS', 'older hardware, cleared issues', '1095 days'],
  ['METRICS_RETENTION_DAYS', 'samples of metrics', '14 days'],
  ['METRICS_MINUTES_DAYS', 'metrics by the minute', '90 days'],
  ['METRICS_HOURS_DAYS', 'metrics by the hour', '1095 days'],
  ['WEBHOOK_HISTORY_DAYS', 'ended deliveries', '30 days'],
] as const;

function RetentionCard() {
  return (
    <Card title="How long things are kept">
      <table className="settings-table">
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">Unless set</th>
            <th scope="col">Setting</th>
          </tr>
        </thead>
        <tbody>
          {retentions.map(([name, what, usual]) => (
            <tr key={name}>
              <td>{what}</td>
              <td>{usual}</td>
              <td className="mono">{name}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="muted">
        Set in the environment of the server, which prints its settings at each start.
      </p>
    </Card>
  );
}

/** Each look is an entry of the audit, since the answer holds a private key: it is asked for, never loaded unasked. */
function NatsCard() {
  const reason = useReason(Permission.ADMINISTER);
  const {mutate, data, error, isPending} = useMutation(ServiceService.method.getNatsConfig);
  return (
    <Card title="Site CA and NATS">
      <div className="prose">
        <p>
          Agents and services reach NATS over TLS under the site’s own CA. For a nats-server of your
          own, the server makes its whole configuration.
        </p>
        {data ? (
          <>
            <Pem title="Site CA" text={data.siteCa} />
            <Pem title="nats.conf" text={data.config} />
            <p className="muted">
              Certificate and key of nats-server are written by the command line, into files that
              only root reads: <code>server/main.ts nats-config FOLDER</code>
            </p>
          </>
        ) : (
          <div>
            <Button
              busy={isPending}
              disabledReason={reason}
              title="It is an entry of the audit"
              onClick={() => mutate({})}
            >
              Show site CA and configuration
            </Button>
          </div>
        )}
        <ErrorState error={error} attempt="show the configuration" />
      </div>
    </Card>
  );
}

const Pem = ({title, text}: {readonly title: string; readonly text: string}) => (
  <div>
    <div className="settings-pem-title">
      {title} <CopyButton text={text} what={title} />
    </div>
    <pre className="settings-pem" tabIndex={0} aria-label={title}>
      {text}
    </pre>
  </div>
);
