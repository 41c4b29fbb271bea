import {IconButton} from '../../ui/Button.tsx';
import {MachineLink} from './MachineLink.tsx';
import './machine-chip.css';

/** A list that shows one machine's things only says so, and can be freed of it. */
export function MachineChip({id, onRemove}: {readonly id: string; readonly onRemove: () => void}) {
  if (id === '') return null;
  return (
    <span className="machine-chip">
      Only of <MachineLink id={id} />
      <IconButton icon="close" label="Of all machines" onClick={onRemove} />
    </span>
  );
}
