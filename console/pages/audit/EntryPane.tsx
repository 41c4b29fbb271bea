import {timestampFromMs} from '@bufbuild/protobuf/wkt';
import {type AuditEntry, AuditService} from '@muster/proto/gen/muster/v1/audit_pb.ts';
import {skipToken, useQuery} from '@connectrpc/connect-query';
import {Link} from '@tanstack/react-router';
import {Badge} from '../../ui/Badge.tsx';
import {KeyValues, Skeleton} from '../../ui/blocks.tsx';
import {CopyButton} from '../../ui/CopyButton.tsx';
import {DetailPane, PaneSection} from '../../ui/DetailPane.tsx';
import {dateOf, formatExact} from '../../ui/format.ts';
import {EmptyState, ErrorState} from '../../ui/states.tsx';
import {outcomeLook, whatOf} from './audit-columns.tsx';
import {Changes} from './Changes.tsx';

const aroundMs = 30_000;
const aroundMax = 1000;

/** Ids begin with their time in milliseconds (UUIDv7): so an entry of an address is found, whatever is filtered. */
function timeOfId(id: string): number | undefined {
  const ms = Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
  return Number.isNaN(ms) ? undefined : ms;
}

type EntryPaneProps = {
  readonly id: string;
  readonly loaded: AuditEntry | undefined;
  readonly onClose: () => void;
};

export function EntryPane({id, loaded, onClose}: EntryPaneProps) {
  const ms = timeOfId(id);
  const {data, error} = useQuery(
    AuditService.method.listAudit,
    loaded || ms === undefined
      ? skipToken
      : {
          startTime: timestampFromMs(ms - aroundMs),
          endTime: timestampFromMs(ms + aroundMs),
          pageSize: aroundMax,
        },
  );
  const entry = loaded ?? data?.entries.find(entry => entry.id === id);
  const isAway = !entry && (data !== undefined || ms === undefined);
  return (
    <DetailPane
      title={entry ? whatOf(entry) : 'Entry'}
      label="Entry of the audit"
      onClose={onClose}
    >
      <ErrorState error={error} attempt="find the entry" />
      {isAway && (
        <EmptyState icon="question" title="This entry is not there">
          <p>It may have gone by retention.</p>
        </EmptyState>
      )}
      {!entry && !isAway && !error && <Skeleton lines={6} />}
      {entry && <Entry entry={entry} />}
    </DetailPane>
  );
}

function Entry({entry}: {readonly entry: AuditEntry}) {
  const time = dateOf(entry.time);
  return (
    <>
      <KeyValues
        entries={[
          ['Outcome', <Badge look={outcomeLook(entry.outcome)} />],
          ['Why', entry.error || (entry.code === 'ok' ? '' : entry.code)],
          ['When', time && formatExact(time)],
          [
            'Who',
            <Link to="/audit" search={{actor: entry.actor}}>
              {entry.actor}
            </Link>,
          ],
          ['From', entry.address && <span className="mono">{entry.address}</span>],
          ['By', entry.method || 'no call: a report, or the server itself'],
          ['On', entry.resource && <Resource resource={entry.resource} />],
          ['Stands for', entry.count > 1 ? `${entry.count} calls` : ''],
          ['Took', entry.durationMs > 0 ? `${entry.durationMs} ms` : ''],
        ]}
      />
      {(entry.before ?? entry.after) && (
        <PaneSection title={changeTitle(entry)}>
          <Changes before={entry.before} after={entry.after} />
        </PaneSection>
      )}
      {entry.request && Object.keys(entry.request).length > 0 && (
        <PaneSection title="What was asked for">
          <pre className="audit-json" tabIndex={0} aria-label="Request">
            {JSON.stringify(entry.request, null, 2)}
          </pre>
        </PaneSection>
      )}
      <PaneSection title="In the chain">
        <KeyValues
          entries={[
            ['Position', String(entry.position)],
            ['Hash', <Mono text={entry.hash} what="the hash" />],
            ['Entry', <Mono text={entry.id} what="the id" />],
            ['Call', entry.callId && <Mono text={entry.callId} what="the id of the call" />],
          ]}
        />
      </PaneSection>
    </>
  );
}

const changeTitle = ({before, after}: AuditEntry): string =>
  before && after ? 'What changed' : after ? 'What was made' : 'What was deleted';

const Mono = ({text, what}: {readonly text: string; readonly what: string}) => (
  <>
    <span className="mono">{text}</span> <CopyButton text={text} what={what} />
  </>
);

function Resource({resource}: {readonly resource: string}) {
  const [kind = '', id = ''] = resource.split('/');
  return (
    <>
      {kind === 'machines' && id !== '' ? (
        <Link to="/machines/$id" params={{id}} className="mono">
          {resource}
        </Link>
      ) : (
        <span className="mono">{resource}</span>
      )}{' '}
      <CopyButton text={resource} what="the resource" />{' '}
      <Link to="/audit" search={{resource}}>
        all about it
      </Link>
    </>
  );
}
