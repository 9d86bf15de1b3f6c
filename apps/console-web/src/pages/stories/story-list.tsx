import { Group, Paper, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { memo, useCallback, useRef } from 'react';
import { time } from '../../app/console-time.js';
import { useKeys } from '../../app/keys.js';
import { legible } from '../../parts/named.js';
import { useRows } from '../../parts/use-rows.js';
import { When } from '../../parts/when.js';
import { OutcomeBadge } from './outcome-badge.js';
import type { Story } from './stories.queries.js';
import { asSentence, storySentence } from './words.js';

/** Stories, newest first. `j` and `k` move through them, Enter opens one. */
export function StoryList({ stories }: { readonly stories: readonly Story[] }) {
  const here = useRef(-1);
  const { list, height, shown, scrollTo } = useRows({ rows: stories, keyOf: idOf, height: 112 });
  const go = (step: number) => {
    const next = Math.min(Math.max(here.current + step, 0), stories.length - 1);
    here.current = next;
    scrollTo(next);
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>(`[data-index="${next}"] a`)?.focus());
  };
  useKeys({ j: () => go(1), k: () => go(-1) });
  const reach = useCallback((index: number) => {
    here.current = index;
  }, []);
  return (
    <ul ref={list} className="queue" style={{ height }}>
      {shown.map(({ row, index, place: { key, ...place } }) => (
        <li key={key} {...place}>
          <StoryRow story={row} index={index} onReach={reach} />
        </li>
      ))}
    </ul>
  );
}

const idOf = ({ id }: Story): string => id;

interface RowProps {
  readonly story: Story;
  readonly index: number;
  readonly onReach: (index: number) => void;
}

/** While the person scrolls or the list grows at its end, a row that stays on the screen is not rendered again. */
const StoryRow = memo(({ story, index, onReach }: RowProps) => (
  <Paper
    withBorder
    p="sm"
    mb={8}
    component={Link}
    to={`/stories/${story.id}`}
    onFocus={() => onReach(index)}
    className="row"
  >
    <Group justify="space-between" align="flex-start" gap="xs">
      <Text fw={600} className="grow">
        {storySentence(story)}
      </Text>
      <OutcomeBadge outcome={story.outcome} />
    </Group>
    {story.reason !== null && (
      <Text size="sm" lineClamp={4}>
        {asSentence(legible(story.reason, story, time.now()))}
      </Text>
    )}
    <Text size="sm" c="dimmed" mt={4}>
      <When at={story.startedAt} /> · {story.agent} · {story.play.title}
      {story.account !== null && ` · ${story.account.name ?? story.account.id}`}
    </Text>
  </Paper>
));
