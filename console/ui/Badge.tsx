import {Icon} from './icons.tsx';
import {
  type Look,
  machineStateLook,
  operationStateLook,
  presenceLook,
  severityLook,
} from './tones.ts';
import './badge.css';

/** Icon, word and colour say the same thing. */
export function Badge({look, title}: {readonly look: Look; readonly title?: string}) {
  return (
    <span className={`badge tone-${look.tone}`} title={title}>
      <Icon name={look.icon} size={12} />
      {look.word}
    </span>
  );
}

type Value = {readonly value: number | undefined; readonly title?: string};
export const StateBadge = ({value, ...rest}: Value) => (
  <Badge look={machineStateLook(value)} {...rest} />
);
export const SeverityBadge = ({value, ...rest}: Value) => (
  <Badge look={severityLook(value)} {...rest} />
);
export const OperationBadge = ({value, ...rest}: Value) => (
  <Badge look={operationStateLook(value)} {...rest} />
);

/** Quieter than a badge: it stands beside one. */
export function PresenceMark({value, title}: Value) {
  const look = presenceLook(value);
  return (
    <span className={`presence tone-${look.tone}`} title={title}>
      <Icon name={look.icon} size={12} />
      {look.word}
    </span>
  );
}
