import { shippedDeployment } from '@countersign/contracts';
import { expect, test } from 'vitest';
import { publisherOf } from './participants.js';

const kafka = (name: string) => ({ name, via: 'kafka' as const, source: `/sources/${name}` });
const having = (...sources: (typeof shippedDeployment)['sources'][number][]) => ({ ...shippedDeployment, sources });

test('signals are published as the source that is named, else as upstream, else as the first one that writes to Kafka', () => {
  const site = { ...kafka('site'), via: 'http' as const };
  expect(publisherOf(having(kafka('shop'), kafka('upstream')), 'shop')).toEqual(kafka('shop'));
  expect(publisherOf(having(kafka('shop'), kafka('upstream')))).toEqual(kafka('upstream'));
  expect(publisherOf(having(site, kafka('shop'), kafka('other')))).toEqual(kafka('shop'));
});

test('a source that does not exist or does not write to Kafka is refused with those that do', () => {
  const site = { ...kafka('site'), via: 'http' as const };
  const all = having(site, kafka('shop'), kafka('other'));
  expect(() => publisherOf(all, 'site')).toThrow(
    '--source site: of the sources that write to Kafka there is shop, other',
  );
  expect(() => publisherOf(all, 'upstream')).toThrow('--source upstream:');
  expect(() => publisherOf(having(site))).toThrow('the configuration lists none');
});
