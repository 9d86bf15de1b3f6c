import { plainText } from '@countersign/contracts';

/* One document in three forms. Each stands alone, and what is quoted in it cannot act: it is text and nothing else. */

export interface Document {
  readonly title: string;
  readonly lead: readonly string[];
  readonly facts: readonly (readonly [string, string])[];
  readonly table: {
    readonly title: string;
    readonly head: readonly string[];
    readonly rows: readonly (readonly string[])[];
  };
  readonly sections: readonly { readonly title: string; readonly lines: readonly string[] }[];
}

export const documentFormats = ['text', 'markdown', 'html'] as const;
export type DocumentFormat = (typeof documentFormats)[number];

export function written(document: Document, format: DocumentFormat): string {
  switch (format) {
    case 'text':
      return textOf(escaped(document, plainText));
    case 'markdown':
      return markdownOf(escaped(document, forMarkdown));
    case 'html':
      return htmlOf(escaped(document, forHtml));
  }
}

/** Every text of a document, made harmless: the forms below write no text that did not pass here. */
function escaped({ title, lead, facts, table, sections }: Document, safe: (text: string) => string): Document {
  return {
    title: safe(title),
    lead: lead.map((line) => safe(line)),
    facts: facts.map(([name, value]) => [safe(name), safe(value)]),
    table: {
      title: safe(table.title),
      head: table.head.map((cell) => safe(cell)),
      rows: table.rows.map((row) => row.map((cell) => safe(cell))),
    },
    sections: sections.map((section) => ({
      title: safe(section.title),
      lines: section.lines.map((line) => safe(line)),
    })),
  };
}

const htmlCharacters = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
]);
const forHtml = (text: string): string =>
  plainText(text).replace(/[&<>"']/g, (found) => htmlCharacters.get(found) ?? '');

/** A line that Markdown shows as it is: no element, link, emphasis, table or list begins in it. */
const forMarkdown = (text: string): string =>
  plainText(text)
    .replace(/[\\`*_[\]<>|~&#!$]/g, '\\$&')
    // Some readers make links out of bare addresses.
    .replace(/:(?=\/\/)/g, '\\:')
    .replace(/\bwww\./gi, (found) => `${found.slice(0, -1)}\\.`)
    .replace(/^(\s*)([-+=])/, '$1\\$2')
    .replace(/^(\s*\d+)([.)])/, '$1\\$2');

function textOf({ title, lead, facts, table, sections }: Document): string {
  const blocks = [
    [title],
    lead,
    columns(facts),
    [table.title, ...columns([table.head, ...table.rows]).map((line) => `  ${line}`)],
    ...sections.map((section) => [section.title, ...section.lines.map((line) => `  - ${line}`)]),
  ];
  return blocks.map((lines) => lines.join('\n')).join('\n\n');
}

/** Rows in columns, each as wide as its widest cell. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function markdownOf({ title, lead, facts, table, sections }: Document): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const blocks = [
    [`# ${title}`],
    ...lead.map((line) => [line]),
    facts.map(([name, value]) => `- ${name}: ${value}`),
    [`## ${table.title}`],
    [row(table.head), row(table.head.map(() => '---')), ...table.rows.map(row)],
    ...sections.flatMap((section) => [[`## ${section.title}`], section.lines.map((line) => `- ${line}`)]),
  ];
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
h1{font-size:1.6rem;line-height:1.25}h2{font-size:1.15rem;margin-top:2rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem}dt{font-weight:600}dd{margin:0}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.35rem .75rem .35rem 0;border-bottom:1px solid #ccc}
dd,td,li,p,h1{overflow-wrap:anywhere}
@media print{body{margin:0;max-width:none}h2{break-after:avoid}tr,li{break-inside:avoid}}`;

/** It loads nothing and runs nothing, also where a browser would let it. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

function htmlOf({ title, lead, facts, table, sections }: Document): string {
  const cells = (name: 'th' | 'td', row: readonly string[]): string =>
    `<tr>${row.map((cell) => `<${name}>${cell}</${name}>`).join('')}</tr>`;
  return `${[
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${title}</title>`,
    `<style>${style}</style>`,
    '</head>',
    '<body>',
    `<h1>${title}</h1>`,
    ...lead.map((line) => `<p>${line}</p>`),
    '<dl>',
    ...facts.map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`),
    '</dl>',
    `<h2>${table.title}</h2>`,
    '<table>',
    `<thead>${cells('th', table.head)}</thead>`,
    `<tbody>${table.rows.map((row) => cells('td', row)).join('\n')}</tbody>`,
    '</table>',
    ...sections.map(
      (section) =>
        `<h2>${section.title}</h2>\n<ul>\n${section.lines.map((line) => `<li>${line}</li>`).join('\n')}\n</ul>`,
    ),
    '</body>',
    '</html>',
  ].join('\n')}\n`;
}
