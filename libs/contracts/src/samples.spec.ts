import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { eventSchemas } from './event-data.js';
import { readEvent } from './read.js';
import { signalTypes } from './signals.js';
import { topicNamed, topology } from './topology.js';

interface Sample {
  topic: string;
  key: string;
  headers?: Record<string, string>;
  value?: unknown;
  event?: { type: string };
}

const dir = fileURLToPath(new URL('../samples/', import.meta.url));
const samples = readdirSync(dir).map(
  (name) => [name, JSON.parse(readFileSync(`${dir}${name}`, 'utf8')) as Sample] as const,
);
const record = ({ key, headers, value, event }: Sample) =>
  event
    ? { key, value: JSON.stringify(event), headers: { 'content-type': 'application/cloudevents+json' } }
    : { key, value: JSON.stringify(value), headers: headers ?? {} };

describe('every sample event ever committed', () => {
  test.each(samples)('%s still parses on its topic', (_name, sample) => {
    const read = readEvent(topicNamed(sample.topic, topology()), record(sample));
    expect(read.ok ? 'parses' : read.fault).toBe('parses');
  });

  test('covers every type of event and every canonical signal', () => {
    const types = new Set(samples.map(([, s]) => s.event?.type ?? s.headers?.ce_type));
    expect([...Object.keys(eventSchemas), ...signalTypes].filter((type) => !types.has(type))).toEqual([]);
  });

  test('an event of ours names no person: neither an address nor a name stands in any sample', () => {
    for (const [name, sample] of samples)
      if (sample.value)
        expect(JSON.stringify(sample.value), name).not.toMatch(/[\w.]+@[\w.]+|firstName"|lastName"|phone"/);
  });
});
