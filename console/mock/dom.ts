// A document for component tests. Imported before React: it looks for one when it is loaded.
import {Window} from 'happy-dom';

const window = new Window({url: 'http://localhost:8080/', width: 1280, height: 800});
const names = [
  'document',
  'navigator',
  'location',
  'history',
  'localStorage',
  'sessionStorage',
  'Node',
  'Element',
  'HTMLElement',
  'HTMLInputElement',
  'HTMLIFrameElement',
  'HTMLDialogElement',
  'SVGElement',
  'DocumentFragment',
  'Event',
  'CustomEvent',
  'KeyboardEvent',
  'MouseEvent',
  'FocusEvent',
  'InputEvent',
  'MutationObserver',
  'ResizeObserver',
  'getComputedStyle',
  'devicePixelRatio',
  'getSelection',
  'matchMedia',
  'requestAnimationFrame',
  'cancelAnimationFrame',
  'scrollTo',
  'addEventListener',
  'removeEventListener',
  'dispatchEvent',
] as const;

Object.defineProperty(globalThis, 'window', {value: globalThis, configurable: true});
Object.defineProperty(globalThis, 'self', {value: globalThis, configurable: true});
for (const name of names) {
  const value: unknown = window[name];
  Object.defineProperty(globalThis, name, {
    value: isMethod(name, value) ? value.bind(window) : value,
    configurable: true,
    writable: true,
  });
}
// Answers and events of the mock server come by themselves, as in a browser: React would warn of each that comes outside of act().
// @testing-library/react sets it to true for as long as it renders and clicks.
Object.assign(globalThis, {IS_REACT_ACT_ENVIRONMENT: false});

function isMethod(name: string, value: unknown): value is (...args: unknown[]) => unknown {
  return typeof value === 'function' && /^[a-z]/.test(name);
}

/** happy-dom lays nothing out: every box is as large as the window, so that virtual lists show rows. */
for (
  let at: object | null = window.document.createElement('div');
  at;
  at = Object.getPrototypeOf(at) as object | null
)
  if (Object.hasOwn(at, 'clientHeight') || Object.hasOwn(at, 'offsetHeight'))
    Object.defineProperties(at, {
      offsetHeight: {get: () => 800, configurable: true},
      offsetWidth: {get: () => 1280, configurable: true},
      clientHeight: {get: () => 800, configurable: true},
      clientWidth: {get: () => 1280, configurable: true},
    });
