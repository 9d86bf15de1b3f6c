import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { textOfFile } from '@countersign/contracts';
import { diagram } from '../core/permit-diagram.js';

/** Part of `npm run generate`: writes the diagram of the permit's machine where it is shown. */
const [begin, end] = ['<!-- generated: permit -->', '<!-- end: permit -->'];
for (const path of ['apps/action-executor/README.md', 'docs/architecture.md']) {
  const file = fileURLToPath(new URL(`../../../../${path}`, import.meta.url));
  const text = textOfFile(file, fs);
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${path} has no part between ${begin} and ${end}`);
  const part = `${begin}\n\`\`\`mermaid\n${diagram()}\n\`\`\`\n`;
  fs.writeFileSync(file, text.slice(0, from) + part + text.slice(to));
}
