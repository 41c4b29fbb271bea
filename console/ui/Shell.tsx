import {Link, Outlet, useLocation} from '@tanstack/react-router';
import {useEffect, useRef, useState, type RefObject} from 'react';
import {useEventStream} from '../live/live.tsx';
import {useMediaQuery} from '../hooks/use-media-query.ts';
import {useHotkeys} from '../hooks/use-hotkeys.ts';
import {BrandMark} from './BrandMark.tsx';
import {IconButton} from './Button.tsx';
import {CommandPalette} from './CommandPalette.tsx';
import {ConnectionState} from './ConnectionState.tsx';
import {Icon} from './icons.tsx';
import {LiveRegion} from './LiveRegion.tsx';
import {navigation} from './nav.ts';
import {ShortcutsDialog} from './ShortcutsDialog.tsx';
import {Toasts} from './Toast.tsx';
import {UserMenu} from './UserMenu.tsx';
import './shell.css';

type Overlay = 'palette' | 'shortcuts' | undefined;

/** Around every page of somebody who is signed in: navigation, state of the connection, palette. */
export function Shell() {
  const [overlay, setOverlay] = useState<Overlay>();
  const [navOpen, setNavOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  const path = useLocation({select: location => location.pathname});
  const stream = useEventStream();
  // The rest of the rail is folded away then.
  const isNarrow = useMediaQuery('(max-width: 800px)');

  useEffect(() => {
    stream.start();
    return stream.stop;
  }, [stream]);
  usePageFocus(path, main);
  useEffect(() => setNavOpen(false), [path]);
  useHotkeys({
    'mod+k': () => setOverlay('palette'),
    '/': () => focusFilter() || setOverlay('palette'),
    '?': () => setOverlay('shortcuts'),
  });

  return (
    <div className="shell">
      <a className="skip-link" href="#main">
        Skip to the page
      </a>
      <header className="rail" data-open={navOpen || undefined}>
        <div className="rail-head">
          <Link to="/" className="brand" aria-label="Muster: overview">
            <BrandMark />
            Muster
          </Link>
          {isNarrow && <ConnectionState />}
          <IconButton
            icon={navOpen ? 'close' : 'menu'}
            label={navOpen ? 'Close the navigation' : 'Open the navigation'}
            aria-expanded={navOpen}
            aria-controls="navigation"
            onClick={() => setNavOpen(!navOpen)}
          />
        </div>
        <button type="button" className="find" onClick={() => setOverlay('palette')}>
          <Icon name="search" />
          <span>Find</span>
          <kbd>Ctrl K</kbd>
        </button>
        <Navigation />
        <div className="rail-foot">
          {!isNarrow && <ConnectionState />}
          <UserMenu onShortcuts={() => setOverlay('shortcuts')} />
        </div>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        <Outlet />
      </main>
      {overlay === 'palette' && <CommandPalette onClose={() => setOverlay(undefined)} />}
      {overlay === 'shortcuts' && <ShortcutsDialog onClose={() => setOverlay(undefined)} />}
      <Toasts />
      <LiveRegion />
    </div>
  );
}

function Navigation() {
  return (
    <nav id="navigation" aria-label="Pages">
      {navigation.map(({label, items}) => (
        <section key={label} aria-label={label}>
          <div className="rail-label">{label}</div>
          <ul>
            {items.map(({label, to, icon}) => (
              <li key={label}>
                <Link to={to} activeOptions={{exact: to === '/', includeSearch: false}}>
                  <Icon name={icon} />
                  {label}
                </Link>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </nav>
  );
}

/** The filter of the page, when it has one. */
function focusFilter(): boolean {
  const filter = document.querySelector<HTMLInputElement>('[data-page-filter] input');
  filter?.focus();
  return filter !== null;
}

/** After a change of page the focus is at its title, so that screen readers tell where one is. */
function usePageFocus(path: string, main: RefObject<HTMLElement | null>): void {
  const isFirst = useRef(true);
  const page = path.split('/').slice(0, 3).join('/');
  useEffect(() => {
    if (isFirst.current) {
      isFirst.current = false;
      return;
    }
    main.current?.focus({preventScroll: true});
    globalThis.scrollTo?.(0, 0);
  }, [page, main]);
}
