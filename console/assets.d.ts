/** What Vite puts in place of these. */
declare module '*.css';
/** The package names a module that it does not hold: this is the one that browsers and Node read alike. */
declare module '@xterm/headless/lib-headless/xterm-headless.mjs' {
  export * from '@xterm/headless';
}
interface ImportMeta {
  readonly env: {readonly DEV: boolean};
}
