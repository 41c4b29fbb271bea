import {createLink, type LinkComponent} from '@tanstack/react-router';
import type {AnchorHTMLAttributes, ButtonHTMLAttributes, ReactNode, Ref} from 'react';
import {Icon, type IconName} from './icons.tsx';
import './button.css';

export type ButtonKind = 'primary' | 'plain' | 'quiet' | 'danger';

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  readonly kind?: ButtonKind;
  readonly icon?: IconName;
  /** Its action is under way: it cannot be pressed, and says so. */
  readonly busy?: boolean;
  /** Why it cannot be used now; it stays focusable, so that the reason can be read. */
  readonly disabledReason?: string | undefined;
  readonly ref?: Ref<HTMLButtonElement>;
};

export function Button({
  kind = 'plain',
  icon,
  busy = false,
  disabledReason,
  children,
  className = '',
  onClick,
  ...rest
}: ButtonProps) {
  const isOff = busy || disabledReason !== undefined;
  return (
    <button
      type="button"
      {...rest}
      className={`button ${kind} ${className}`}
      aria-disabled={isOff || undefined}
      aria-busy={busy || undefined}
      title={disabledReason ?? rest.title}
      onClick={event => {
        // A form is not sent by a button that is off.
        if (isOff) event.preventDefault();
        else onClick?.(event);
      }}
    >
      {busy ? <span className="spinner" /> : icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

type IconButtonProps = Omit<ButtonProps, 'children' | 'icon' | 'aria-label'> & {
  readonly icon: IconName;
  /** What it does: its name for screen readers, and the tooltip. */
  readonly label: string;
};

export function IconButton({label, kind = 'quiet', className = '', ...rest}: IconButtonProps) {
  return (
    <Button
      {...rest}
      kind={kind}
      className={`icon-button ${className}`}
      aria-label={label}
      title={label}
    />
  );
}

type AnchorProps = AnchorHTMLAttributes<HTMLAnchorElement> & {
  readonly kind?: ButtonKind;
  readonly icon?: IconName;
  readonly ref?: Ref<HTMLAnchorElement>;
  readonly children?: ReactNode;
};

function ButtonAnchor({kind = 'plain', icon, children, className = '', ...rest}: AnchorProps) {
  return (
    <a {...rest} className={`button ${kind} ${className}`}>
      {icon && <Icon name={icon} />}
      {children}
    </a>
  );
}

/** A link of the router that looks like a button. */
export const ButtonLink: LinkComponent<typeof ButtonAnchor> = createLink(ButtonAnchor);
