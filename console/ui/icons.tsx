import './icons.css';

/** Drawn on 16 × 16 with strokes of 1.5, so that they sit on the grid of the text. */
const paths = {
  overview: 'M2 9h5V2H2zm7 5h5V7H9zM2 14h5v-3H2zm7-9h5V2H9z',
  machine: 'M2 3h12v4H2zm0 6h12v4H2zM4.5 5h.01M4.5 11h.01M8 5h3M8 11h3',
  pending: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zm0 3v3.5l2 1.5',
  group: 'M2 5h5l1.5 2H14v6H2zM2 5V3h4',
  rule: 'M3 3h10M3 8h6M3 13h4m4-5v5m0 0-2-2m2 2 2-2',
  template: 'M3 2h7l3 3v9H3zm7 0v3h3M5.5 8.5h5m-5 2.5h3',
  build: 'M9.5 3.5a3 3 0 0 0-4 4L2 11l3 3 3.5-3.5a3 3 0 0 0 4-4L10.5 8.5 7.5 5.500z',
  image: 'm8 2 6 3-6 3-6-3zm-6 6 6 3 6-3M2 11l6 3 6-3',
  test: 'M6 2h4M7 2v4l-4 7h10L9 6V2M5 10h6',
  operation: 'M2 8h3l2-5 3 10 2-5h2',
  event: 'M3 3h.01M3 8h.01M3 13h.01M6 3h8M6 8h8M6 13h8',
  boot: 'M8 2v5M4.5 4.5a5 5 0 1 0 7 0',
  workspace: 'M2 4h5v5H2zm7-1h5v4H9zm0 7h5v4H9zM2 12h5v2H2z',
  people:
    'M6 8a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zm-4 5c0-2 1.7-3 4-3s4 1 4 3m1-5a2 2 0 1 0 0-4m3 8.500c0-1.8-1-2.7-2.5-3',
  webhook: 'M5 11a3 3 0 1 1-2-3m3.5-1.500a3 3 0 1 1 3.5-1M8 5l3 5m0 0a2.5 2.5 0 1 1-1.5 3M5 11h5',
  audit: 'M8 2l5 2v4c0 3-2 5-5 6-3-1-5-3-5-6V4zm-2 6 1.5 1.500L10.5 6.5',
  issue: 'M8 2.5 14.5 13.500h-13zM8 6.500v3.500m0 2v.01',
  settings: 'M2 4h6m4 0h2M2 8h2m4 0h6M2 12h7m4 0h1M10 2.500v3M6 6.500v3m5 1v3',
  search: 'M7 2.500a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.5 10.5 14 14',
  close: 'm3.5 3.5 9 9m0-9-9 9',
  check: 'm3 8.5 3.5 3.500L13 4.5',
  cross: 'm4.5 4.5 7 7m0-7-7 7',
  warning: 'M8 2.5 14.5 13.500h-13zM8 6.500v3.500m0 2v.01',
  info: 'M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zm0 5v4m0-6.500v.01',
  dot: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6z',
  ring: 'M8 3.500a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9z',
  half: 'M8 3a5 5 0 1 0 0 10A5 5 0 0 0 8 3zm0 0v10',
  dash: 'M4 8h8',
  question: 'M6 6a2 2 0 1 1 2.8 1.800c-.6.3-.8.7-.8 1.200m0 2.500v.01',
  play: 'm5 3 8 5-8 5z',
  pause: 'M5 3v10m6-10v10',
  copy: 'M5.5 5.500h8v8h-8zM3 10.500h-.5v-8h8V3',
  menu: 'M2 4h12M2 8h12M2 12h12',
  more: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
  down: 'm4 6 4 4 4-4',
  up: 'm4 10 4-4 4 4',
  right: 'm6 4 4 4-4 4',
  left: 'm10 4-4 4 4 4',
  sun: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zm0-3.500v1m0 11v1M1.5 8h1m11 0h1M3.4 3.400l.7.7m7.8 7.8.7.7m0-9.2-.7.7m-7.8 7.8-.7.7',
  moon: 'M13 9.500A5.5 5.5 0 1 1 6.5 3 4.5 4.5 0 0 0 13 9.500z',
  auto: 'M2 3h12v8H2zm4 11h4m-2-3v3',
  refresh: 'M13 8a5 5 0 1 1-1.5-3.500L13 6m0-3.500V6H9.5',
  download: 'M8 2v8m0 0L5 7m3 3 3-3M3 13h10',
  upload: 'M8 10V2m0 0L5 5m3-3 3 3M3 13h10',
  split: 'M2 8h4m0 0 4-5h4m-8 5 4 5h4M11.5 1l2.500 2-2.500 2m0 6 2.500 2-2.500 2',
  print: 'M4 6V2h8v4M4 11H2V6h12v5h-2M4 9h8v5H4z',
  columns: 'M2 3h12v10H2zm4 0v10m4-10v10',
  plus: 'M8 3v10M3 8h10',
  trash: 'M3 4h10M6 4V2.500h4V4M4.5 4l.5 9.500h6l.5-9.5',
  undo: 'M5.5 3 2.5 6l3 3M2.5 6H10a3.5 3.5 0 0 1 0 7H6',
  external: 'M9 2.500h4.500V7M13.5 2.5 7 9M11 9.500V13.500H2.500V5H6.5',
  star: 'm8 2 1.8 3.9 4.2.5-3.1 2.9.8 4.200L8 11.400l-3.7 2.1.8-4.200L2 6.400l4.2-.5z',
  filter: 'M2 3h12L9.5 8.500V13l-3-1.500v-3z',
  user: 'M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6zm-5 6c0-2.5 2-4 5-4s5 1.5 5 4',
  light: 'M6 13h4M6.5 11c0-2-2-2.5-2-5a3.5 3.5 0 0 1 7 0c0 2.5-2 3-2 5z',
} as const;

export type IconName = keyof typeof paths;

/** Says nothing to screen readers: the word beside it does. */
export function Icon({name, size = 16}: {readonly name: IconName; readonly size?: number}) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}
