import {plainText} from '../../log/ansi.ts';
import {CopyButton} from '../../ui/CopyButton.tsx';
import './boot-tests.css';

/** What a machine wrote, without its colours; scrolls by the keyboard, too. */
export function ConsoleText({text, label}: {readonly text: string; readonly label: string}) {
  const plain = text.split('\n').map(plainText).join('\n');
  return (
    <div className="console-tail">
      <CopyButton text={plain} what="the text" />
      <pre tabIndex={0} role="region" aria-label={label}>
        {plain}
      </pre>
    </div>
  );
}
