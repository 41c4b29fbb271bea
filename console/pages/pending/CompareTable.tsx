import type {Machine} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {StateBadge} from '../../ui/Badge.tsx';
import {Icon, type IconName} from '../../ui/icons.tsx';
import {RelativeTime} from '../../ui/RelativeTime.tsx';
import type {Tone} from '../../ui/tones.ts';
import {machineName} from '../machines/machine-name.ts';
import {type Difference, differencesOf, type Verdict} from './machine-differences.ts';

const looks: Readonly<Record<Verdict, {icon: IconName; tone: Tone; word: string}>> = {
  different: {icon: 'cross', tone: 'bad', word: 'Different'},
  partly: {icon: 'half', tone: 'warn', word: 'Partly the same'},
  same: {icon: 'check', tone: 'ok', word: 'The same'},
  alone: {icon: 'dash', tone: 'idle', word: 'Only one has it'},
};

/** Two records side by side. On a phone the name of a row stands above its two values. */
export function CompareTable({left, right}: {readonly left: Machine; readonly right: Machine}) {
  return (
    <table className="compare">
      <thead>
        <tr>
          <td />
          <th scope="col">
            This box <Seen machine={left} />
          </th>
          <th scope="col">
            {machineName(right)} <Seen machine={right} />
          </th>
        </tr>
      </thead>
      <tbody>
        {differencesOf(left, right).map(difference => (
          <CompareRow key={difference.label} difference={difference} />
        ))}
      </tbody>
    </table>
  );
}

const Seen = ({machine: {state, lastSeenTime}}: {readonly machine: Machine}) => (
  <span className="compare-seen">
    <StateBadge value={state} />
    <span className="muted">
      seen <RelativeTime time={lastSeenTime} empty="never" />
    </span>
  </span>
);

function CompareRow({difference}: {readonly difference: Difference}) {
  const {label, left, right, verdict} = difference;
  const {icon, tone, word} = looks[verdict];
  return (
    <tr className={`tone-${tone}`} data-verdict={verdict}>
      <th scope="row">
        <span title={word}>
          <Icon name={icon} size={12} />
          <span className="visually-hidden">{word}: </span>
        </span>
        {label}
      </th>
      <Side values={left} others={right} />
      <Side values={right} others={left} />
    </tr>
  );
}

function Side({
  values,
  others,
}: {
  readonly values: readonly string[];
  readonly others: readonly string[];
}) {
  return (
    <td>
      {values.length === 0 && <span className="muted">–</span>}
      {values.map(value =>
        others.includes(value) ? <div key={value}>{value}</div> : <mark key={value}>{value}</mark>,
      )}
    </td>
  );
}
