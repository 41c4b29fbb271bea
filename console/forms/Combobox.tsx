import {type KeyboardEvent, type ReactNode, useId, useLayoutEffect, useRef, useState} from 'react';
import './combobox.css';

export type Option = {readonly value: string; readonly label?: string; readonly note?: string};

type ComboboxProps = {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** Already narrowed to what fits `value`. */
  readonly options: readonly Option[];
  readonly onPick: (option: Option) => void;
  /** Enter while no option is marked. */
  readonly onSubmit?: (() => void) | undefined;
  readonly placeholder?: string;
  readonly invalid?: boolean;
  readonly id?: string;
  readonly before?: ReactNode;
  /** Where the caret is, for those who complete words in the middle of the text. */
  readonly caret?: number;
  readonly onCaret?: (position: number) => void;
};

/** Text with a list of suggestions, by the pattern of ARIA: the focus stays in the text. */
export function Combobox(props: ComboboxProps) {
  const {label, value, onChange, options, onPick, onSubmit, placeholder, invalid, before} = props;
  const ownId = useId();
  const id = props.id ?? ownId;
  const [open, setOpen] = useState(false);
  const [marked, setMarked] = useState(-1);
  const [picked, setPicked] = useState(0);
  const shown = open && options.length > 0;

  const input = useRef<HTMLInputElement>(null);
  const {caret} = props;
  // A text that is put in moves the caret to its end.
  useLayoutEffect(() => {
    const element = input.current;
    if (element && caret !== undefined && document.activeElement === element)
      element.setSelectionRange(caret, caret);
    // oxlint-disable-next-line react/exhaustive-deps -- only when the text was changed: the caret is the person's else
  }, [picked]);

  const pick = (option: Option) => {
    onPick(option);
    setPicked(picked + 1);
    setMarked(-1);
  };
  const move = (event: KeyboardEvent, to: number) => {
    event.preventDefault();
    setOpen(true);
    setMarked(options.length === 0 ? -1 : (to + options.length) % options.length);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const option = shown ? options[marked] : undefined;
    if (event.key === 'ArrowDown') move(event, marked + 1);
    else if (event.key === 'ArrowUp') move(event, marked <= 0 ? -1 : marked - 1);
    else if (event.key === 'Escape' && shown) {
      event.stopPropagation();
      setOpen(false);
      setMarked(-1);
    } else if ((event.key === 'Enter' || event.key === 'Tab') && option) {
      event.preventDefault();
      pick(option);
    } else if (event.key === 'Enter') {
      setOpen(false);
      onSubmit?.();
    }
  };

  return (
    <div className="combobox">
      {before}
      <input
        ref={input}
        id={id}
        className="input"
        role="combobox"
        aria-label={label}
        aria-expanded={shown}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={shown && marked >= 0 ? `${id}-${marked}` : undefined}
        aria-invalid={invalid || undefined}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        placeholder={placeholder}
        value={value}
        onChange={event => {
          onChange(event.target.value);
          setOpen(true);
          setMarked(-1);
        }}
        onSelect={event => props.onCaret?.(event.currentTarget.selectionStart ?? 0)}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={onKeyDown}
      />
      <ul id={`${id}-list`} role="listbox" aria-label={`${label}: suggestions`} hidden={!shown}>
        {options.map((option, index) => (
          <li
            key={option.value}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === marked}
            // The text must not lose its focus before the click arrives.
            onMouseDown={event => event.preventDefault()}
            onClick={() => pick(option)}
          >
            <span className="mono">{option.label ?? option.value}</span>
            {option.note && <span className="muted">{option.note}</span>}
          </li>
        ))}
      </ul>
    </div>
  );
}
