import {type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState} from 'react';
import {Button, type ButtonKind} from './Button.tsx';
import {Icon, type IconName} from './icons.tsx';
import './menu.css';

export type MenuItem = {
  readonly label: string;
  readonly icon?: IconName;
  readonly onSelect: () => void;
  readonly danger?: boolean;
  /** Why it cannot be chosen now. */
  readonly disabledReason?: string | undefined;
};

type MenuProps = {
  readonly label: ReactNode;
  /** Needed when `label` is no text. */
  readonly name?: string;
  readonly icon?: IconName;
  readonly kind?: ButtonKind;
  readonly items: readonly MenuItem[];
};

/** A button with a list of actions: arrows move, Enter chooses, Esc closes. */
export function Menu({label, name, icon, kind = 'plain', items}: MenuProps) {
  const [open, setOpen] = useState(false);
  const id = useId();
  const list = useRef<HTMLUListElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (open) list.current?.querySelector<HTMLElement>('[role=menuitem]')?.focus();
  }, [open]);

  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const entries = [...(list.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];
    const at = entries.indexOf(document.activeElement as HTMLElement);
    const steps: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1 + entries.length,
      Home: 0,
      End: entries.length - 1,
    };
    const to = steps[event.key];
    if (to !== undefined) {
      event.preventDefault();
      entries[to % entries.length]?.focus();
    } else if (event.key === 'Escape') close();
    else if (event.key === 'Tab') setOpen(false);
    event.stopPropagation();
  };

  return (
    <div
      className="menu"
      onBlur={event => {
        if (!event.currentTarget.contains(event.relatedTarget)) setOpen(false);
      }}
    >
      <Button
        ref={button}
        kind={kind}
        aria-label={name}
        aria-haspopup="menu"
        aria-expanded={open}
        aria-controls={id}
        {...(icon && {icon})}
        onClick={() => setOpen(!open)}
      >
        {label}
        <Icon name="down" size={12} />
      </Button>
      {open && (
        <ul id={id} ref={list} role="menu" onKeyDown={onKeyDown}>
          {items.map((item, index) => (
            <li
              key={index}
              role="menuitem"
              tabIndex={-1}
              className={item.danger ? 'danger' : ''}
              aria-disabled={item.disabledReason !== undefined || undefined}
              title={item.disabledReason}
              onClick={() => choose(item)}
              onKeyDown={event => {
                if (event.key !== 'Enter' && event.key !== ' ') return;
                event.preventDefault();
                choose(item);
              }}
            >
              {item.icon && <Icon name={item.icon} />}
              {item.label}
            </li>
          ))}
        </ul>
      )}
    </div>
  );

  function choose(item: MenuItem): void {
    if (item.disabledReason !== undefined) return;
    close();
    item.onSelect();
  }
}
