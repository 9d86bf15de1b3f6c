import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { diagram } from './permit-diagram.js';

test.each(['apps/action-executor/README.md', 'docs/architecture.md'])(
  '%s shows the machine as it is; if not, npm run generate',
  (path) => {
    const text = readFileSync(fileURLToPath(new URL(`../../../../${path}`, import.meta.url)), 'utf8');
    expect(text).toContain(`<!-- generated: permit -->\n\`\`\`mermaid\n${diagram()}\n\`\`\`\n<!-- end: permit -->`);
  },
);
