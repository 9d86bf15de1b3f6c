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

/**
 * Writes into the page the names of all files that the other pages need, in the order of the routes. `app/pages-code.ts` loads them
 * after the first view.
 */
const namesOfCode = (): Plugin => ({
  name: 'names-of-code',
  apply: 'build',
  transformIndexHtml: {
    order: 'post',
    handler(_html, { bundle = {}, chunk: entry }) {
      const found = new Set<string>();
      const find = (names: readonly string[], later: boolean): void => {
        for (const name of names) {
          const chunk = bundle[name];
          if (found.has(name) || chunk?.type !== 'chunk') continue;
          found.add(name);
          for (const style of chunk.viteMetadata?.importedCss ?? []) found.add(style);
          find(chunk.imports, later);
          if (later) find(chunk.dynamicImports, later);
        }
      };
      const names = entry === undefined ? [] : [entry.fileName];
      find(names, false);
      const first = found.size;
      find(entry?.dynamicImports ?? [], true);
      const content = [...found]
        .slice(first)
        .map((name) => `/${name}`)
        .join(' ');
      return [{ tag: 'meta', attrs: { name: 'code-of-pages', content }, injectTo: 'head' }];
    },
  },
});

export default defineConfig({
  plugins: [react(), namesOfCode(), compressed()],
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
