import { Alert, Text } from '@mantine/core';
import { IconHandStop } from '@tabler/icons-react';
import { scopeWords } from '../../parts/scope.js';
import { When } from '../../parts/when.js';
import type { Review } from './reviews.queries.js';

/** Says that something stops what is on the card, and what this means for an answer. */
export function Stopped({ card: { subject, underStop } }: { readonly card: Review }) {
  if (underStop === null) return null;
  const { stops, approving } = underStop;
  return (
    <Alert
      color="red"
      icon={<IconHandStop aria-hidden />}
      title={stops.map((stop) => `${stop.by} stopped ${scopeWords(stop)}`).join('; ')}
    >
      {stops.map(({ scope, reason, changedAt }) => (
        <Text key={scope} size="sm">
          <span className="written">{reason}</span> (<When at={changedAt} />)
        </Text>
      ))}
      <Text size="sm" mt="xs">
        {approving} You can reject it at any time. To let {subject === 'proposal' ? 'it run' : 'the tasks go out'},
        first have {stops.map(scopeWords).join(' and ')} resumed, then answer. The deadline does not wait for that.
      </Text>
    </Alert>
  );
}
