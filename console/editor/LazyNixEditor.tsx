import {lazy, Suspense, useState} from 'react';
import {Button} from '../ui/Button.tsx';
import {Icon} from '../ui/icons.tsx';
import type {EditorProps, Finding} from './editor-props.ts';
import {LineDiff} from './LineDiff.tsx';
import './editor.css';

/** Larger than the rest of the console: only with its page, and only for those who want it. */
const NixEditor = lazy(async () => {
  const {NixEditor} = await import('./NixEditor.tsx');
  return {default: NixEditor};
});

const storageKey = 'muster.editor';
type Kind = 'rich' | 'plain';
const stored = (): Kind => {
  const value = localStorage.getItem(storageKey);
  if (value === 'rich' || value === 'plain') return value;
  // The keyboards of phones and editors of code do not get along.
  return globalThis.matchMedia('(max-width: 640px)').matches ? 'plain' : 'rich';
};

/** Nix to read or to write; as plain text for phones, screen readers and those who prefer it, and while the editor is on its way. */
export function LazyNixEditor(props: EditorProps) {
  const [kind, setKind] = useState<Kind>(stored);
  const {findings = []} = props;
  const toggle = () => {
    const next = kind === 'rich' ? 'plain' : 'rich';
    localStorage.setItem(storageKey, next);
    setKind(next);
  };
  return (
    <div className="editor-box">
      <div className="editor-bar">
        <span>{props.label}</span>
        <Button kind="quiet" onClick={toggle}>
          {kind === 'rich' ? 'Plain text' : 'Editor'}
        </Button>
      </div>
      {kind === 'plain' ? (
        <PlainText {...props} />
      ) : (
        <Suspense fallback={<PlainText {...props} />}>
          <NixEditor {...props} />
        </Suspense>
      )}
      {findings.length > 0 && <Findings findings={findings} />}
    </div>
  );
}

function PlainText({label, value, onChange, findings = [], original}: EditorProps) {
  if (original !== undefined) return <LineDiff before={original} after={value} />;
  if (!onChange)
    return (
      // Scrolls by the keyboard, too.
      <pre className="editor-plain" tabIndex={0} aria-label={label}>
        {value}
      </pre>
    );
  return (
    <textarea
      className="editor-plain"
      aria-label={label}
      aria-invalid={findings.length > 0 || undefined}
      rows={Math.min(40, Math.max(12, value.split('\n').length + 1))}
      spellCheck={false}
      autoCapitalize="off"
      value={value}
      onChange={event => onChange(event.target.value)}
    />
  );
}

const Findings = ({findings}: {readonly findings: readonly Finding[]}) => (
  <div className="findings tone-bad" role="alert">
    <ul>
      {findings.map(({source = '', line, column, message}) => (
        <li key={`${source} ${line}:${column} ${message}`}>
          <Icon name="warning" size={12} />
          {(line > 0 || source !== '') && (
            <span className="mono">
              {source}
              {line > 0 && ` ${line}:${column}`}
            </span>
          )}
          <span>{message}</span>
        </li>
      ))}
    </ul>
  </div>
);
