import {Card} from '../../../ui/blocks.tsx';
import {Button} from '../../../ui/Button.tsx';
import {plural} from '../../../ui/format.ts';
import {RelativeTime} from '../../../ui/RelativeTime.tsx';
import type {Box} from './evidence.ts';

type BoxesCardProps = {
  readonly boxes: readonly Box[];
  readonly taken: ReadonlySet<string>;
  readonly onTake: (taken: ReadonlySet<string>) => void;
};

/** What the boots of the record tell of how many boxes it is. */
export function BoxesCard({boxes, taken, onTake}: BoxesCardProps) {
  return (
    <Card title="What its boots tell" flush>
      <p className="boxes-verdict">{verdictOf(boxes.length)}</p>
      <ol className="boxes">
        {boxes.map(({values, bootCount, last}, index) => {
          const isTaken = values.every(value => taken.has(value));
          return (
            <li key={values.join(' ')}>
              <div className="boxes-head">
                <strong>
                  {index === 0 ? 'Booted last' : 'Booted before'}{' '}
                  <RelativeTime time={last.lastTime} />
                </strong>
                <span className="muted">
                  {plural(bootCount, 'boot')}
                  {last.ipAddress && ` · from ${last.ipAddress}`}
                </span>
              </div>
              <div className="boxes-values">
                {values.map(value => (
                  <span key={value} className="mono">
                    {value}
                  </span>
                ))}
                {boxes.length > 1 && (
                  <Button onClick={() => onTake(new Set(isTaken ? [] : values))}>
                    {isTaken ? 'Not the other box' : 'This is the other box'}
                  </Button>
                )}
              </div>
            </li>
          );
        })}
      </ol>
    </Card>
  );
}

function verdictOf(count: number): string {
  if (count === 0) return 'It has not been seen to boot. Compare the labels on both boxes.';
  if (count === 1)
    return 'All boots have values in common: they do not tell two boxes apart. Compare the labels on both.';
  return `Its boots fall into ${count} parts that have no value in common: very likely as many boxes.`;
}
