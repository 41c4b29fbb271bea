import {Chip} from '../../ui/Chip.tsx';
import {shortImageId} from './image-words.ts';

/** A list that shows one image's things only says so, and can be freed of it. */
export function ImageChip({id, onRemove}: {readonly id: string; readonly onRemove: () => void}) {
  if (id === '') return null;
  return (
    <Chip label="Of all images" onRemove={onRemove}>
      Only of image <span className="mono">{shortImageId(id)}</span>
    </Chip>
  );
}
