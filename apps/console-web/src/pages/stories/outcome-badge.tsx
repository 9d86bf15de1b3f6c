import { Badge } from '@mantine/core';
import { type Outcome, outcomes } from './outcomes.js';

export function OutcomeBadge({ outcome }: { readonly outcome: Outcome }) {
  const { words, color, Icon } = outcomes[outcome];
  return (
    <Badge
      variant="outline"
      color={color}
      className="never-narrower plain-badge"
      leftSection={<Icon size={14} aria-hidden />}
    >
      {words}
    </Badge>
  );
}
