import {Icon} from '../../ui/icons.tsx';
import type {Move} from './use-moves.ts';

export function MoveResults({moves}: {readonly moves: readonly Move[]}) {
  return (
    <ul className="assign-results" aria-label="What became of them">
      {moves.map(({id, name, reason}) => (
        <li key={id} className={reason === undefined ? 'tone-ok' : 'tone-bad'}>
          <Icon name={reason === undefined ? 'check' : 'warning'} />
          <span>
            <strong>{name}</strong>: {reason ?? 'done'}
          </span>
        </li>
      ))}
    </ul>
  );
}
