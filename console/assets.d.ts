/** What Vite puts in place of these. */
declare module '*.css';
interface ImportMeta {
  readonly env: {readonly DEV: boolean};
}
