import {Chip} from '../../ui/Chip.tsx';
import {MachineLink} from './MachineLink.tsx';

/** A list that shows one machine's things only says so, and can be freed of it. */
export function MachineChip({id, onRemove}: {readonly id: string; readonly onRemove: () => void}) {
  if (id === '') return null;
  return (
    <Chip label="Of all machines" onRemove={onRemove}>
      Only of <MachineLink id={id} />
    </Chip>
  );
}
