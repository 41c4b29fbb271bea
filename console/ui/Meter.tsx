import {formatCount} from './format.ts';
import './meter.css';

type MeterProps = {
  readonly used: number;
  /** 0: no limit. */
  readonly max: number;
  /** "machines" */
  readonly unit: string;
  readonly label: string;
};

/** How much of a quota is used: words first, the bar beside them. */
export function Meter({used, max, unit, label}: MeterProps) {
  if (max === 0)
    return (
      <span>
        {formatCount(used)} {unit}, <span className="muted">no limit</span>
      </span>
    );
  const isFull = used >= max;
  return (
    <span className={isFull ? 'meter tone-warn' : 'meter tone-info'}>
      <span
        className="meter-bar"
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={max}
        aria-valuenow={Math.min(used, max)}
        aria-valuetext={`${used} of ${max} ${unit}`}
      >
        <span style={{width: `${Math.min(100, (used / max) * 100)}%`}} />
      </span>
      <span>
        {formatCount(used)} of {formatCount(max)} {unit}
        {isFull && (used > max ? ', more than allowed' : ', full')}
      </span>
    </span>
  );
}
