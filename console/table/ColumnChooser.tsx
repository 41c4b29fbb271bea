import {useState} from 'react';
import {Checkbox} from '../forms/fields.tsx';
import {Button} from '../ui/Button.tsx';
import {Dialog} from '../ui/Dialog.tsx';
import type {TableColumn} from './columns.ts';
import {chosenColumns} from './columns.ts';

type ColumnChooserProps<Row> = {
  readonly columns: readonly TableColumn<Row>[];
  readonly chosen: ReadonlySet<string>;
  readonly onChange: (chosen: ReadonlySet<string>) => void;
};

export function ColumnChooser<Row>({columns, chosen, onChange}: ColumnChooserProps<Row>) {
  const [open, setOpen] = useState(false);
  const toggle = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    onChange(next);
  };
  return (
    <>
      <Button icon="columns" aria-haspopup="dialog" onClick={() => setOpen(true)}>
        Columns
      </Button>
      {open && (
        <Dialog
          title="Columns"
          onClose={() => setOpen(false)}
          actions={
            <>
              <Button onClick={() => onChange(chosenColumns(columns, undefined))}>
                The usual ones
              </Button>
              <Button kind="primary" onClick={() => setOpen(false)}>
                Done
              </Button>
            </>
          }
        >
          <div className="column-chooser">
            {columns.map(({id, header, isFixed}) => (
              <Checkbox
                key={id}
                label={header}
                checked={chosen.has(id)}
                disabled={isFixed}
                onChange={() => toggle(id)}
              />
            ))}
          </div>
        </Dialog>
      )}
    </>
  );
}
