import {Dialog} from './Dialog.tsx';

const shortcuts: readonly (readonly [keys: readonly string[], what: string])[] = [
  [['Ctrl K'], 'Find a page, a machine or an action'],
  [['/'], 'To the filter of the page'],
  [['?'], 'This list'],
  [['↓', 'J'], 'Next row'],
  [['↑', 'K'], 'Previous row'],
  [['Enter'], 'Open the row'],
  [['X'], 'Select the row'],
  [['Shift X', 'Shift click'], 'Select all rows up to this one'],
  [['Home', 'End'], 'First, last row'],
  [['Esc'], 'Close, or drop the selection'],
];

export function ShortcutsDialog({onClose}: {readonly onClose: () => void}) {
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <dl className="key-values">
        {shortcuts.map(([keys, what]) => (
          <div key={what} className="shortcut">
            <dt>
              {keys.map(key => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
