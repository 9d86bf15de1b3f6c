import { Group, Paper, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';
import { useKeys } from '../../app/keys.js';
import { When } from '../../parts/when.js';
import { OutcomeBadge } from './outcome-badge.js';
import type { Story } from './stories.queries.js';
import { asSentence, legible, storySentence } from './words.js';

/** Stories, newest first; `j` and `k` go through them, Enter opens. */
export function StoryList({ stories }: { readonly stories: readonly Story[] }) {
  const list = useRef<HTMLUListElement>(null);
  const here = useRef(-1);
  const virtual = useWindowVirtualizer({
    count: stories.length,
    estimateSize: () => 104,
    overscan: 12,
    scrollMargin: list.current?.offsetTop ?? 0,
    getItemKey: (index) => stories[index]?.id ?? index,
  });
  const go = (step: number) => {
    const next = Math.min(Math.max(here.current + step, 0), stories.length - 1);
    here.current = next;
    virtual.scrollToIndex(next, { align: 'auto' });
    requestAnimationFrame(() => list.current?.querySelector<HTMLElement>(`[data-index="${next}"] a`)?.focus());
  };
  useKeys({ j: () => go(1), k: () => go(-1) });
  return (
    <ul ref={list} className="queue" style={{ height: virtual.getTotalSize() }}>
      {virtual.getVirtualItems().map((item) => {
        const story = stories[item.index];
        return (
          story && (
            <li
              key={item.key}
              ref={virtual.measureElement}
              data-index={item.index}
              style={{ transform: `translateY(${item.start - virtual.options.scrollMargin}px)` }}
            >
              <StoryRow
                story={story}
                onFocus={() => {
                  here.current = item.index;
                }}
              />
            </li>
          )
        );
      })}
    </ul>
  );
}

function StoryRow({ story, onFocus }: { readonly story: Story; readonly onFocus: () => void }) {
  return (
    <Paper withBorder p="sm" mb={8} component={Link} to={`/stories/${story.id}`} onFocus={onFocus} className="row">
      <Group justify="space-between" align="flex-start" gap="xs">
        <Text fw={600} className="grow">
          {storySentence(story)}
        </Text>
        <OutcomeBadge outcome={story.outcome} />
      </Group>
      {story.reason !== null && (
        <Text size="sm" lineClamp={4}>
          {asSentence(legible(story.reason, story.people, Date.now()))}
        </Text>
      )}
      <Text size="sm" c="dimmed" mt={4}>
        <When at={story.startedAt} /> · {story.agent} · {story.play.title}
        {story.account !== null && ` · ${story.account.name ?? story.account.id}`}
      </Text>
    </Paper>
  );
}
