import { existsSync, readFileSync } from 'node:fs';
import { type Envelope, fromKafka } from '@countersign/contracts';
import { expect, test } from 'vitest';
import { readHttp } from './http-binding.js';

const folder = new URL('../../../../../shared/data/cloudevents/', import.meta.url);

/** What a scenario gives and expects, its outline filled in with one row of its examples. */
interface Example {
  readonly given: string;
  readonly headers: Record<string, string>;
  readonly attributes: Record<string, string>;
  readonly data: unknown;
}

/** The few forms of Gherkin that the conformance features are written in. */
function examplesOf(feature: string): Example[] {
  return feature
    .split(/^ *Scenario(?: Outline)?:/m)
    .slice(1)
    .flatMap((text) => {
      const [scenario = '', examples] = text.split(/^ *Examples:/m);
      const [name, ...values] = rows(examples ?? '').map(([cell]) => cell ?? '');
      const filled = name === undefined ? [scenario] : values.map((value) => scenario.replaceAll(`<${name}>`, value));
      return filled.map((example) => {
        const blocks = [...example.matchAll(/^ *"""\n(.*?)^ *"""$/gms)].map((m) => undented(m[1] ?? ''));
        const tables = example
          .split(/^ *(?=Given|And|When|Then)/m)
          .map((step) => Object.fromEntries(rows(step).slice(1)));
        const [headers = {}, attributes = {}] = tables.filter((table) => Object.keys(table).length > 0).slice(-2);
        const only = attributes.id === undefined;
        return {
          given: blocks[0] ?? '',
          headers: only ? {} : headers,
          attributes: only ? headers : attributes,
          data: JSON.parse(blocks[1] ?? 'null'),
        };
      });
    });
}

const rows = (text: string): string[][] =>
  [...text.matchAll(/^ *\|(.*)\| *$/gm)].map((m) => (m[1] ?? '').split('|').map((cell) => cell.trim()));

const undented = (text: string): string => text.replace(/^ {8}/gm, '');

function expectEvent(event: Envelope | undefined, { attributes, data }: Example): void {
  expect(attributes.id).toBe('1234-1234-1234');
  expect(event).toMatchObject({ id: attributes.id, source: attributes.source, type: attributes.type, data });
  expect(Date.parse(event?.time ?? '')).toBe(Date.parse(attributes.time ?? ''));
}

const read = (name: string, skip: (reason: string) => void): Example[] => {
  const file = new URL(name, folder);
  if (!existsSync(file)) skip(`${name} is not there: the CloudEvents conformance features are not part of the project`);
  const examples = examplesOf(readFileSync(file, 'utf8'));
  expect(examples.length).toBeGreaterThan(2);
  return examples;
};

test('every example of the CloudEvents HTTP binding is read as the conformance feature says', ({ skip }) => {
  for (const example of read('http-protocol-binding.feature', skip)) {
    const [head = '', body = ''] = example.given.split(/\n\n(.*)/s);
    const headers = Object.fromEntries(
      head
        .split('\n')
        .slice(1)
        .map((line) => [
          line.slice(0, line.indexOf(':')).trim().toLowerCase(),
          line.slice(line.indexOf(':') + 1).trim(),
        ]),
    );
    const found = readHttp({ headers, body });
    const [event] = found.ok ? found.events : [];
    expectEvent(event?.ok ? event.event : undefined, example);
  }
});

test('every example of the CloudEvents Kafka binding is read as the conformance feature says', ({ skip }) => {
  for (const example of read('kafka-protocol-binding.feature', skip)) {
    const found = fromKafka({ key: null, value: example.given, headers: example.headers });
    expectEvent(found.ok ? found.event : undefined, example);
  }
});
