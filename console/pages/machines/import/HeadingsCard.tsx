import {Card} from '../../../ui/blocks.tsx';
import {Icon} from '../../../ui/icons.tsx';
import {headingMeaning} from './headings.ts';

/** What is made of each column, before anything is sent. */
export function HeadingsCard({headings}: {readonly headings: readonly string[]}) {
  return (
    <Card title="Columns">
      <dl className="headings">
        {headings.map((heading, index) => {
          const meaning = headingMeaning(heading);
          return (
            <div key={index} className={meaning === undefined ? 'tone-bad' : ''}>
              <dt className="mono">{heading === '' ? '(empty)' : heading}</dt>
              <dd>
                {meaning ?? (
                  <>
                    <Icon name="warning" size={12} /> No such column: rename it, or take it away
                  </>
                )}
              </dd>
            </div>
          );
        })}
      </dl>
    </Card>
  );
}
