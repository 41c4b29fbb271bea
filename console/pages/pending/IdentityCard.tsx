import type {PendingMachine} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import {Badge} from '../../ui/Badge.tsx';
import {Card} from '../../ui/blocks.tsx';
import type {Look} from '../../ui/tones.ts';

/** The points at which the server tells machines apart: matchMin and clearMin of server/domain/identity.ts. */
const recognisedMin = 20;
const clearMin = 40;
/** A board with UUID, serial, BMC and NICs has about so much. */
const fullScore = 150;

const looks: readonly (readonly [from: number, look: Look, meaning: string])[] = [
  [
    100,
    {word: 'Strong', tone: 'ok', icon: 'check'},
    'It is recognised even when parts are exchanged.',
  ],
  [
    clearMin,
    {word: 'Enough', tone: 'info', icon: 'dot'},
    'It is recognised as long as its board and NICs stay.',
  ],
  [
    recognisedMin,
    {word: 'Weak', tone: 'warn', icon: 'warning'},
    'One exchanged part, and it is taken for another machine.',
  ],
  [
    -Infinity,
    {word: 'None', tone: 'bad', icon: 'warning'},
    'It cannot be recognised at its next boot: set a serial number in its firmware.',
  ],
];

export function IdentityCard({pending}: {readonly pending: PendingMachine}) {
  const {identityScore: score, identityReasons: reasons} = pending;
  const [, look, meaning] = looks.find(([from]) => score >= from) ?? looks[0] ?? [];
  return (
    <Card title="Identity" actions={look && <Badge look={look} />}>
      <div className="identity">
        <div className="identity-score">
          <strong>{score}</strong>
          <meter
            min={0}
            max={fullScore}
            low={recognisedMin}
            high={clearMin}
            optimum={fullScore}
            value={Math.min(score, fullScore)}
            aria-label={`Identity: ${score} points`}
          />
        </div>
        <p>{meaning}</p>
        {reasons.length > 0 && <Reasons reasons={reasons} label="What it is recognised by" />}
      </div>
    </Card>
  );
}

/** "same uuid (+40)": for, or against. */
export function Reasons({
  reasons,
  label,
}: {
  readonly reasons: readonly string[];
  readonly label: string;
}) {
  return (
    <ul className="reasons" aria-label={label}>
      {reasons.map(reason => (
        <li key={reason} className={/\(-\d/.test(reason) ? 'tone-bad' : 'tone-ok'}>
          {reason.replaceAll('(-', '(−')}
        </li>
      ))}
    </ul>
  );
}
