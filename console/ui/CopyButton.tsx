import {useEffect, useState} from 'react';
import {IconButton} from './Button.tsx';
import {announce} from './LiveRegion.tsx';

const thanksMs = 1500;

export function CopyButton({text, what}: {readonly text: string; readonly what: string}) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return undefined;
    const timer = setTimeout(() => setCopied(false), thanksMs);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    await copyText(text);
    setCopied(true);
    announce(`Copied ${what}`);
  };
  return (
    <IconButton
      className="copy"
      icon={copied ? 'check' : 'copy'}
      label={copied ? `Copied ${what}` : `Copy ${what}`}
      onClick={event => {
        event.stopPropagation();
        void copy();
      }}
    />
  );
}

/** The clipboard of browsers is there on https and localhost only; consoles are opened by http://10.0.0.5:8080, too. */
async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement('textarea');
  field.value = text;
  field.setAttribute('readonly', '');
  field.className = 'visually-hidden';
  document.body.append(field);
  field.select();
  document.execCommand('copy');
  field.remove();
}
