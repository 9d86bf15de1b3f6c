import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/* A reading that fails in silence looks like an answer: nothing is stopped, nothing waits, there is no agent to choose. */

const root = join(import.meta.dirname, '../..');
const pages = 'apps/console-web/src/';

/** Readings whose failure another part of the same page shows, or that show it in another way. */
const shownElsewhere: Readonly<Record<string, string>> = {
  "parts/reach.tsx: { ...queueQuery(scope ?? 'all'), enabled: scope !== undefined }":
    'Reach shows it, and reads the same',
  'app/session.ts: sessionQuery': 'the frame says that the session is over or that the console is away',
  'pages/policy/policy.page.tsx: { ...checkQuery, enabled: mayPublish }': 'Folder shows it, and reads the same',
  'pages/policy/policy.page.tsx: versionQuery(version)': 'Content shows it, and reads the same',
  'pages/policy/policy.page.tsx: versionsQuery': 'Versions shows it, and reads the same',
  'pages/runbook/drain.tsx: controlsQuery': 'StopHere shows it, and reads the same',
  "pages/runbook/stop.tsx: queueQuery('all')": 'UnderWay shows it, and reads the same',
  'pages/now/now.page.tsx: openReviewsQuery': 'without the cards, the page shows the words of the events',
  'pages/now/waiting.tsx: { ...openReviewsQuery, enabled: reviews.count > 0 }': 'as above',
  'pages/reviews/review.page.tsx: openReviewsQuery': 'it only leads to the next review',
  'pages/stories/use-proof.ts: proofQuery(useQueryClient(), step)': 'the badge of the step says that it has no proof',
};

/** The readings of a file whose error nothing in the file reads, as they are written there. */
function silent(text: string): string[] {
  const found: string[] = [];
  for (const call of text.matchAll(/\buse(?:Infinite)?Query\(/g)) {
    const [start, from] = [call.index, call.index + call[0].length];
    let [end, depth] = [from, 1];
    for (; depth > 0 && end < text.length; end += 1) depth += text[end] === '(' ? 1 : text[end] === ')' ? -1 : 0;
    const name = /\bconst (\w+) = $/.exec(text.slice(0, start))?.[1];
    const shown = name !== undefined && new RegExp(`\\b${name}\\.(?:isError|error)\\b`).test(text);
    if (!shown)
      found.push(
        text
          .slice(from, end - 1)
          .replace(/\s+/g, ' ')
          .trim()
          .replace(/,$/, ''),
      );
  }
  return found;
}

test('each reading of a page shows its failure', () => {
  const files = globSync(`${pages}**/*.{ts,tsx}`, { cwd: root });
  expect(files.length).toBeGreaterThan(100);
  const found = files
    .flatMap((path) =>
      silent(readFileSync(join(root, path), 'utf8')).map((query) => `${path.replace(pages, '')}: ${query}`),
    )
    .map((place) => place.replace(/: \{.*queryKey.*/, ': a query of its own'));
  expect(found.filter((place) => !Object.hasOwn(shownElsewhere, place))).toEqual([]);
  expect(Object.keys(shownElsewhere).filter((place) => !found.includes(place))).toEqual([]);
});

test('a planted reading whose failure nobody sees is found', () => {
  expect(silent('const { data } = useQuery(queueQuery(scope));')).toEqual(['queueQuery(scope)']);
  expect(silent('const now = useQuery(nowQuery);\nreturn now.data?.agents;')).toEqual(['nowQuery']);
  expect(silent('const now = useQuery(nowQuery);\nif (now.isError) return <Problem error={now.error} />;')).toEqual([]);
});
