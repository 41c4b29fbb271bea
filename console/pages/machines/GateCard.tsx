import {
  type ImageGate,
  type ImageGate_Requirement as Requirement,
  ImageGate_Verdict as Verdict,
} from '@muster/proto/gen/muster/v1/image_tests_pb.ts';
import {Link} from '@tanstack/react-router';
import {Badge} from '../../ui/Badge.tsx';
import {Card} from '../../ui/blocks.tsx';
import {Notice} from '../../ui/states.tsx';
import type {Look} from '../../ui/tones.ts';
import {Origin} from '../groups/Origin.tsx';
import {testStatusLook} from '../image-tests/test-words.ts';
import {ImageLink} from '../images/ImageLink.tsx';
import './gate-card.css';

const open: Look = {word: 'Open', tone: 'ok', icon: 'check'};
const looks: Readonly<Record<number, Look>> = {
  [Verdict.OPEN]: open,
  [Verdict.WAITING]: {word: 'Waits for tests', tone: 'busy', icon: 'pending'},
  [Verdict.CLOSED]: {word: 'Closed', tone: 'bad', icon: 'warning'},
};

/** What the machine's groups require of its image. */
export function GateCard({gate}: {readonly gate: ImageGate}) {
  const look = looks[gate.verdict] ?? open;
  return (
    <>
      {gate.held && (
        <Notice tone={look.tone} icon={look.icon}>
          <strong>
            Its newest image <ImageLink id={gate.imageId} /> is held back
          </strong>
          <p>
            {gate.reason}.{' '}
            {gate.verdict === Verdict.CLOSED
              ? 'Build it again with what is missing, or run the test again; the machine keeps what it has.'
              : 'The machine gets it by itself when all have passed.'}
          </p>
        </Notice>
      )}
      <Card flush title="Gate" actions={<Badge look={look} />}>
        <ul className="rows gate-rows" aria-label="Tests that its groups require">
          {gate.requirements.map(requirement => (
            <RequirementRow
              key={requirement.test}
              requirement={requirement}
              machineId={gate.machineId}
            />
          ))}
        </ul>
      </Card>
    </>
  );
}

function RequirementRow({
  requirement,
  machineId,
}: {
  readonly requirement: Requirement;
  readonly machineId: string;
}) {
  const {test, origins, status} = requirement;
  return (
    <li>
      <Badge look={testStatusLook(status)} />
      <code>{test}</code>
      <span className="muted">
        for{' '}
        {origins.map((origin, index) => (
          <span key={origin}>
            {index > 0 && ', '}
            <Origin origin={origin} machineId={machineId} />
          </span>
        ))}
      </span>
      <span className="gate-explanation">
        <Explanation requirement={requirement} />
      </span>
    </li>
  );
}

/** The sentence names the test by its whole id: it leads there. */
function Explanation({
  requirement: {explanation, imageTestId},
}: {
  readonly requirement: Requirement;
}) {
  const id = JSON.stringify(imageTestId);
  const at = imageTestId === '' ? -1 : explanation.indexOf(id);
  if (at < 0) return explanation;
  return (
    <>
      {explanation.slice(0, at)}
      <Link to="/image-tests" search={{test: imageTestId}} className="mono">
        {imageTestId.slice(0, 8)}
      </Link>
      {explanation.slice(at + id.length)}
    </>
  );
}
