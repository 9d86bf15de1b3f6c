import type { Topic } from '../topology.js';

/** The flow of the log topics as a Mermaid flowchart: services as boxes, topics as the labels of their arrows. */
export function diagram(topics: readonly Topic[], outsiders: readonly string[]): string {
  const lines = ['flowchart LR'];
  const watchers = new Set(['audit-recorder', 'console']);
  const nodes = new Set<string>();
  const arrows: string[] = [];
  for (const topic of topics) {
    if (topic.kind === 'state' || topic.name.includes('dead-letters') || topic.name.startsWith('record.')) continue;
    const label = topic.name.replace(/\.v\d+$/, '');
    for (const reader of topic.readers) {
      if (watchers.has(reader) && !(reader === 'console' && /escalated|rejected/.test(topic.name))) continue;
      nodes.add(topic.writer).add(reader);
      arrows.push(`  ${id(topic.writer)} -- ${label} --> ${id(reader)}`);
    }
  }
  for (const node of [...nodes].sort())
    lines.push(outsiders.includes(node) ? `  ${id(node)}([${node}])` : `  ${id(node)}[${node}]`);
  return [...lines, ...arrows].join('\n');
}

const id = (name: string): string => name.replace(/-/g, '_');

/** The topics as a Markdown table. */
export function topicTable(topics: readonly Topic[]): string {
  const rows = topics.map(
    (t) =>
      `| \`${t.name}\`${t.kind === 'state' ? ' (state)' : ''} | ${t.key} | ${t.writer} | ${t.readers.join(', ')} | ${t.types.join(', ') || 'canonical signals'} |`,
  );
  return ['| topic | key | writer | readers | events |', '|---|---|---|---|---|', ...rows].join('\n');
}
