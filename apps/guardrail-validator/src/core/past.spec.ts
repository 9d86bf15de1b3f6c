import { expect, test } from 'vitest';
import { publishedEnd } from './past.js';

const published = (type: string, data: object) => ({ type, data: { verdict: { reasons: [] }, ...data } }) as never;

test('a person who edited an action closed it, in whichever order its end and the verdict on the edit are read', () => {
  const replaced = published('ActionRefused', { supersededBy: 'an edit' });
  const edited = published('ActionApproved', { review: { by: 'lea', decision: 'edit' } });
  for (const events of [
    [replaced, edited],
    [edited, replaced],
  ])
    expect(publishedEnd(events)).toEqual({ state: 'superseded', by: 'lea' });
});
