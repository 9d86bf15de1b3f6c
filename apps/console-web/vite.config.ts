import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The console writes a fresh nonce into each page: nothing else may style or run in it (`csp` of apps/console). */
const nonce = '{{nonce}}';

export default defineConfig({
  plugins: [react()],
  html: { cspNonce: nonce },
  build: {
    outDir: 'dist/pages',
    target: 'es2023',
    // Browsers that know light-dark(): rewritten, it would not follow the page's own switch between light and dark.
    cssTarget: ['chrome125', 'firefox125', 'safari17.5'],
    // No file is put into a page: the Content-Security-Policy lets in nothing but files of this origin.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    proxy: { '/v1': 'http://127.0.0.1:8088', '/health': 'http://127.0.0.1:8088' },
  },
});
