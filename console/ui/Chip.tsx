import type {ReactNode} from 'react';
import {IconButton} from './Button.tsx';
import './chip.css';

/** A condition of a list that has no control of its own: says what it is, and goes by a click. */
export function Chip({
  children,
  label,
  onRemove,
}: {
  readonly children: ReactNode;
  /** What the list shows without it: "Of all machines". */
  readonly label: string;
  readonly onRemove: () => void;
}) {
  return (
    <span className="chip">
      <span>{children}</span>
      <IconButton icon="close" label={label} onClick={onRemove} />
    </span>
  );
}
