import { z } from 'zod';
import { type ActionKindName, actionKinds } from '../catalogue.js';
import { outsidersOf } from '../deployment.js';
import { currencyCodes, currencyDigits } from '../money.js';
import { acls, shippedDeployment, topicConfig, topology } from '../topology.js';
import { asyncapi, jsonSchema, typesOf } from './asyncapi.js';
import { diagram, topicTable } from './diagram.js';

/** A generated file, or the part of a file between `<!-- generated: name -->` and `<!-- end: name -->`. */
export interface Artifact {
  readonly path: string;
  readonly part?: string;
  readonly content: string;
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Everything that is generated from the topology and the contracts, for the shipped deployment. Paths from the project's root. */
export function artifacts(): Artifact[] {
  const topics = topology(shippedDeployment);
  const outsiders = outsidersOf(shippedDeployment);
  const lines = (header: string, rows: readonly string[]): string => `${[header, ...rows].join('\n')}\n`;
  return [
    { path: 'libs/contracts/generated/asyncapi.json', content: json(asyncapi(topics, outsiders)) },
    ...typesOf(topics).map((type) => ({
      path: `libs/contracts/generated/schemas/${type}.json`,
      content: json({ title: type, ...jsonSchema(type) }),
    })),
    ...(Object.keys(actionKinds) as ActionKindName[]).map((kind) => ({
      path: `libs/contracts/generated/schemas/actions/${kind}.json`,
      content: json({ title: kind, ...z.toJSONSchema(actionKinds[kind].payload, { io: 'input' }) }),
    })),
    {
      path: 'deploy/kafka/acls.tsv',
      content: lines(
        'principal\tresource\tpattern\tname\toperations',
        acls(topics).map((a) => [a.principal, a.resource, a.pattern, a.name, a.operations.join(',')].join('\t')),
      ),
    },
    {
      path: 'deploy/kafka/topics.tsv',
      content: lines(
        'topic\tpartitions\tconfig',
        topics.map((t) =>
          [
            t.name,
            t.partitions,
            Object.entries(topicConfig(t))
              .map(([k, v]) => `${k}=${v}`)
              .join(','),
          ].join('\t'),
        ),
      ),
    },
    {
      // The pages do not depend on this lib.
      path: 'apps/console-web/src/generated/currencies.ts',
      content: lines(
        '/** Decimals of each currency, from `libs/contracts/src/money.ts`. */\nexport const currencyDigits: Readonly<Record<string, number>> = {',
        [...[...currencyCodes].sort().map((code) => `  ${code}: ${currencyDigits(code)},`), '};'],
      ),
    },
    { path: 'docs/architecture.md', part: 'diagram', content: `\`\`\`mermaid\n${diagram(topics, outsiders)}\n\`\`\`` },
    { path: 'docs/architecture.md', part: 'topics', content: topicTable(topics) },
  ];
}

/** A file's text with one generated part replaced. Throws if the file has no such part. */
export function withPart(text: string, part: string, content: string): string {
  const [begin, end] = [`<!-- generated: ${part} -->`, `<!-- end: ${part} -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`no part "${part}" between ${begin} and ${end}`);
  return `${text.slice(0, from + begin.length)}\n${content}\n${text.slice(to)}`;
}
