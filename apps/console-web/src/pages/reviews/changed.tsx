import { Alert, Button, List } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { sentence } from '../../parts/sentence.js';
import { labelOf } from './fields.js';
import type { Review } from './reviews.queries.js';

interface Props {
  readonly before: Review;
  readonly now: Review;
  readonly onRead: () => void;
}

/** The card differs from what its reader has read: what changed, and a button to continue with the present content. */
export function Changed({ before, now, onRead }: Props) {
  const changes = changesBetween(before, now);
  return (
    <Alert
      color="orange"
      role="alert"
      title="This changed while you were reading"
      icon={<IconAlertTriangle aria-hidden />}
    >
      <List size="sm" mb="xs">
        {sentence(before) !== sentence(now) && <List.Item>Before: {sentence(before)}</List.Item>}
        {changes.map(([name, old, next]) => (
          <List.Item key={name} className="written">
            {labelOf(name)}: {old} is now {next}
          </List.Item>
        ))}
      </List>
      <Button size="xs" variant="default" onClick={onRead}>
        I have read it: let me answer
      </Button>
    </Alert>
  );
}

function changesBetween(before: Review, now: Review): (readonly [string, string, string])[] {
  if (before.subject !== 'proposal' || now.subject !== 'proposal') return [];
  const [old, next] = [before.action.payload, now.action.payload];
  return [...new Set([...Object.keys(old), ...Object.keys(next)])].flatMap((name) => {
    const [earlier, later] = [words(old[name]), words(next[name])];
    return earlier === later ? [] : [[name, earlier, later] as const];
  });
}

const words = (value: unknown): string =>
  value === undefined ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value);
