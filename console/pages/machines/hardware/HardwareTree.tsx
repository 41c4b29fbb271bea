import type {Hardware} from '@muster/proto/gen/muster/v1/hardware_pb.ts';
import {Icon} from '../../../ui/icons.tsx';
import {type Section, sectionsOf} from './sections.ts';
import './hardware.css';

const openAtFirst = new Set(['System', 'CPUs', 'Memory', 'Disks', 'Network']);

export function HardwareTree({hardware}: {readonly hardware: Hardware}) {
  return (
    <div className="hardware">
      {sectionsOf(hardware).map(section => (
        <details key={section.title} open={openAtFirst.has(section.title)}>
          <summary>
            <h2>{section.title}</h2>
            <span className={section.hasTrouble ? 'tone-bad trouble' : 'muted'}>
              {section.hasTrouble && <Icon name="warning" size={12} />} {section.summary}
            </span>
          </summary>
          <SectionTable section={section} />
        </details>
      ))}
    </div>
  );
}

/** Columns that are empty in every row say nothing. */
function SectionTable({section}: {readonly section: Section}) {
  const same = section.rows.every(row => row.length === section.rows[0]?.length);
  // Parts of different kinds, or one part alone: a list of names and values.
  if (!same || section.rows.length === 1)
    return section.rows.map((row, index) => (
      <dl key={index} className="key-values part">
        {row
          .filter(([, value]) => value !== '')
          .map(([name, value]) => (
            <div key={name} className="shortcut">
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
    ));
  const names = section.rows[0]?.map(([name]) => name) ?? [];
  const used = names
    .map((name, at) => ({name, at}))
    .filter(({at}) => section.rows.some(row => row[at]?.[1]));
  return (
    <div className="part-table" tabIndex={0} role="region" aria-label={section.title}>
      <table>
        <thead>
          <tr>
            {used.map(({name}) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {section.rows.map((row, index) => (
            <tr key={index}>
              {used.map(({name, at}) => (
                <td key={name}>{row[at]?.[1]}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
