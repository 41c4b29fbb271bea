import type {Diagnostic} from '@muster/proto/gen/muster/v1/builds_pb.ts';
import {MachineService} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {skipToken, useQuery} from '@connectrpc/connect-query';
import {Link} from '@tanstack/react-router';
import {Card} from '../../ui/blocks.tsx';
import {plural} from '../../ui/format.ts';
import {Icon} from '../../ui/icons.tsx';
import {diagnosticWord} from './build-words.ts';

const linesAround = 2;

type DiagnosticsProps = {
  readonly diagnostics: readonly Diagnostic[];
  readonly machineId: string;
};

/** What is wrong with the configuration, each with its place and, where it is the machine's own module, the lines themselves. */
export function Diagnostics({diagnostics, machineId}: DiagnosticsProps) {
  const hasOwn = diagnostics.some(({source, line}) => source === '' && line > 0);
  const {data} = useQuery(
    MachineService.method.getMachine,
    machineId !== '' && hasOwn ? {id: machineId} : skipToken,
  );
  if (diagnostics.length === 0) return null;
  return (
    <Card flush title={`${plural(diagnostics.length, 'problem')} in the configuration`}>
      <ul className="diagnostics">
        {diagnostics.map(diagnostic => (
          <li key={`${diagnostic.source}:${diagnostic.line}:${diagnostic.message}`}>
            <div className="diagnostic-head">
              <Icon name="warning" />
              <strong>{diagnosticWord(diagnostic.kind)}</strong>
              <Place diagnostic={diagnostic} machineId={machineId} />
            </div>
            <p className="diagnostic-message">{diagnostic.message}</p>
            {diagnostic.source === '' && (
              <Excerpt diagnostic={diagnostic} text={data?.machine?.nixosConfig ?? ''} />
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Place({
  diagnostic: {source, line, column},
  machineId,
}: {
  readonly diagnostic: Diagnostic;
  readonly machineId: string;
}) {
  const at = line === 0 ? '' : `, line ${line}${column > 0 ? `, column ${column}` : ''}`;
  const template = /^templates\/(.+)$/.exec(source)?.[1];
  if (template !== undefined)
    return (
      <Link to="/templates" search={{template}}>
        template {template}
        {at}
      </Link>
    );
  if (machineId === '' || source !== '') return <span className="muted">{source + at}</span>;
  return (
    <Link to="/machines/$id/config" params={{id: machineId}}>
      the machine’s own module{at}
    </Link>
  );
}

/** The lines as the machine has them now: it may have been changed since the build. */
function Excerpt({
  diagnostic: {line, column},
  text,
}: {
  readonly diagnostic: Diagnostic;
  readonly text: string;
}) {
  const all = text.split('\n');
  if (line === 0 || text === '' || line > all.length) return null;
  const from = Math.max(0, line - 1 - linesAround);
  return (
    <figure>
      <pre className="excerpt">
        {all.slice(from, line + linesAround).map((content, index) => {
          const number = from + index + 1;
          return (
            <span key={number} className={number === line ? 'at-fault' : undefined}>
              <span className="excerpt-number">{number}</span>
              {content}
              {'\n'}
              {number === line && column > 0 && (
                <span className="excerpt-caret" aria-hidden="true">
                  <span className="excerpt-number" />
                  {' '.repeat(column - 1)}^{'\n'}
                </span>
              )}
            </span>
          );
        })}
      </pre>
      <figcaption className="muted">As the configuration is now</figcaption>
    </figure>
  );
}
