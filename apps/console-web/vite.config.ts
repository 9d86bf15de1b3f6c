import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { constants, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** The console writes a fresh nonce into each page: nothing else may style or run in it (`csp` of apps/console). */
const nonce = '{{nonce}}';

/** Puts each file of text beside itself compressed, once; the console sends it so. The page itself is not: it gets its nonce. */
const compressed = (): Plugin => ({
  name: 'compressed',
  apply: 'build',
  writeBundle({ dir = '' }) {
    for (const file of readdirSync(dir, { recursive: true, encoding: 'utf8' }))
      if (/\.(js|css|svg)$/.test(file)) {
        const bytes = readFileSync(join(dir, file));
        if (bytes.length > 1_024)
          writeFileSync(join(dir, `${file}.gz`), gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION }));
      }
  },
});

export default defineConfig({
  plugins: [react(), compressed()],
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
