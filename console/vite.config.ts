import react from '@vitejs/plugin-react';
import {defineConfig} from 'vite';

/** Where `npm run --workspace console dev` finds the server, unless the page is opened with `?mock`. */
const serverUrl = 'http://127.0.0.1:8080';
const served = ['/muster.v1.', '/api/v1/', '/v1/', '/artifacts/', '/openapi.json'];

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  server: {
    proxy: Object.fromEntries(served.map(path => [path, {target: serverUrl, changeOrigin: true}])),
  },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2024',
    sourcemap: false,
    // A data: URL in a style sheet is refused by the policy that the server sends (img-src and font-src excepted), and hides its size.
    assetsInlineLimit: 0,
    // One HTTP/2-less round trip more is cheaper than a polyfill in every page.
    modulePreload: {polyfill: false},
    chunkSizeWarningLimit: 800,
  },
});
