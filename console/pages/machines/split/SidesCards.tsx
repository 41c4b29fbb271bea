import type {GetMachineEvidenceResponse_Item as Item} from '@muster/proto/gen/muster/v1/discovery_pb.ts';
import type {Machine} from '@muster/proto/gen/muster/v1/machines_pb.ts';
import {Card} from '../../../ui/blocks.tsx';
import {plural} from '../../../ui/format.ts';
import {machineName} from '../machine-name.ts';
import {type Box, inOrder, kindWord} from './evidence.ts';

type SidesProps = {
  readonly machine: Machine;
  readonly items: readonly Item[];
  readonly boxes: readonly Box[];
  readonly taken: ReadonlySet<string>;
};

/** What becomes of both, as docs/discovery.md says it. */
export function SidesCards({machine, items, taken, boxes}: SidesProps) {
  const stay = items.filter(({value}) => !taken.has(value));
  const go = items.filter(({value}) => taken.has(value));
  const model = `${machine.manufacturer} ${machine.product}`.trim();
  return (
    <div className="split-sides">
      <Card title={`${machineName(machine)} keeps`}>
        <SideList
          items={stay}
          rest={[
            'Name, labels, notes, groups, workspace',
            'Configuration, images, builds',
            'Hardware history, metrics, issues, events',
            'Boots by its other NICs',
            ...(machine.quarantineReason === '' ? [] : ['Its quarantine ends']),
          ]}
        />
      </Card>
      <Card title="The new record gets">
        <SideList
          items={go}
          rest={[
            'State EXPECTED: it waits for its box to boot',
            `${bootWords(boxes, taken)} by these NICs`,
            ...(model === '' ? [] : [`Make and model, until it reports: ${model}`]),
            'No name, no configuration, no image',
          ]}
        />
      </Card>
    </div>
  );
}

function bootWords(boxes: readonly Box[], taken: ReadonlySet<string>): string {
  const whole = boxes.filter(({values}) => values.every(value => taken.has(value)));
  const count = whole.reduce((sum, {bootCount}) => sum + bootCount, 0);
  return count === 0 ? 'Boots' : plural(count, 'boot');
}

const SideList = ({
  items,
  rest,
}: {
  readonly items: readonly Item[];
  readonly rest: readonly string[];
}) => (
  <>
    {items.length === 0 ? (
      <p className="muted">Nothing yet that it is recognised by.</p>
    ) : (
      <ul className="side-items">
        {inOrder(items).map(({kind, value}) => (
          <li key={`${kind} ${value}`}>
            <span className="muted">{kindWord(kind)}</span> <span className="mono">{value}</span>
          </li>
        ))}
      </ul>
    )}
    <ul className="side-rest">
      {rest.map(line => (
        <li key={line}>{line}</li>
      ))}
    </ul>
  </>
);
