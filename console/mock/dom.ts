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
// React then expects tests to wait by act(), as @testing-library/react does.
Object.assign(globalThis, {IS_REACT_ACT_ENVIRONMENT: true});

function isMethod(name: string, value: unknown): value is (...args: unknown[]) => unknown {
  return typeof value === 'function' && /^[a-z]/.test(name);
}

/** happy-dom lays nothing out: every box is as large as the window, so that virtual lists show rows. */
Object.defineProperties(window.HTMLElement.prototype, {
  clientHeight: {get: () => 800, configurable: true},
  clientWidth: {get: () => 1280, configurable: true},
  offsetHeight: {get: () => 800, configurable: true},
  offsetWidth: {get: () => 1280, configurable: true},
});
