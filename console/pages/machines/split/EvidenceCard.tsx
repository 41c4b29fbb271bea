import type {GetMachineEvidenceResponse_Item as Item} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import {Card} from '../../../ui/blocks.tsx';
import {CopyButton} from '../../../ui/CopyButton.tsx';
import {inOrder, kindWord} from './evidence.ts';

type EvidenceCardProps = {
  readonly items: readonly Item[];
  readonly taken: ReadonlySet<string>;
  /** The MAC that the record booted from last. */
  readonly bootMac: string;
  readonly onTake: (taken: ReadonlySet<string>) => void;
};

/** Everything that the record is recognised by, each to be marked as the other box's. */
export function EvidenceCard({items, taken, bootMac, onTake}: EvidenceCardProps) {
  const toggle = (value: string, isTaken: boolean) =>
    onTake(new Set(isTaken ? [...taken, value] : [...taken].filter(each => each !== value)));
  return (
    <Card title="Mark what belongs to the other box" flush>
      <ul className="evidence-list" aria-label="What the record is recognised by">
        {inOrder(items).map(({kind, value}) => (
          <li key={`${kind} ${value}`} data-taken={taken.has(value) || undefined}>
            <label className="checkbox">
              <input
                type="checkbox"
                checked={taken.has(value)}
                onChange={({target}) => toggle(value, target.checked)}
              />
              <span>
                <span className="muted">{kindWord(kind)}</span>{' '}
                <span className="mono">{value}</span>
                {value === bootMac && <span className="muted"> · booted last from it</span>}
              </span>
            </label>
            <CopyButton text={value} what={kindWord(kind)} />
          </li>
        ))}
      </ul>
    </Card>
  );
}
