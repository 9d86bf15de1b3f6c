import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const folder = fileURLToPath(new URL('../generated/schemas/', import.meta.url));

/** Events that name a person and do not say in `seen` what that person saw, and why. */
const withoutSeen: Readonly<Record<string, string>> = {
  ReviewDecided: 'its own members `digest` and `lookedMs` say it',
  ReviewSetAside: 'a service writes it about an answer',
  TaskReviewSetAside: 'a service writes it about an answer',
  DryRunAsked: 'a question, which has no effect; it carries the action that the person saw',
  InspectionStarted: 'a command says that it has begun; nothing was shown before',
  InspectionEnded: 'a command says what it found',
};

test('every event that is the act of a person can say what the person saw', () => {
  const schemas = readdirSync(folder).filter((file) => file.endsWith('.json'));
  const lacking = schemas.flatMap((file) => {
    const { properties = {} } = JSON.parse(readFileSync(`${folder}${file}`, 'utf8')) as { properties?: object };
    return 'by' in properties && !('seen' in properties) ? [file.replace('.json', '')] : [];
  });
  expect(lacking.sort()).toEqual(Object.keys(withoutSeen).sort());
});
