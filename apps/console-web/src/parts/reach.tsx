import { List, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { openReviewsQuery, type ReviewCard } from '../pages/reviews/reviews.queries.js';
import { scopeWords } from './controls.js';

/** What a stop reaches, as far as the console knows. */
export function Reach({ scope }: { readonly scope: string }) {
  const reviews = useQuery(openReviewsQuery);
  const waiting = reviews.data?.filter((card) => concerns(card, scope)).length;
  return (
    <div>
      <Text size="sm" fw={600}>
        What this does
      </Text>
      <List size="sm">
        <List.Item>Nothing new {scope === 'all' ? '' : `of ${scopeWords(scope)} `}is approved.</List.Item>
        <List.Item>What was approved and has not been sent out yet does not run.</List.Item>
        <List.Item>A call that is being made this moment may still end. What was done stays done.</List.Item>
        {waiting !== undefined && !scope.startsWith('channel:') && (
          <List.Item>
            {waiting === 0
              ? 'Nothing waits for a person.'
              : `${waiting === 1 ? '1 review' : `${waiting} reviews`} ${waiting === 1 ? 'waits' : 'wait'} for a person; approving ${waiting === 1 ? 'it' : 'them'} has no effect until you resume.`}
          </List.Item>
        )}
      </List>
    </div>
  );
}

function concerns(card: ReviewCard, scope: string): boolean {
  const colon = scope.indexOf(':');
  const name = scope.slice(colon + 1);
  const agents = card.subject === 'proposal' ? [card.facts.agent] : card.facts.tasks.map(({ agent }) => agent);
  switch (scope.slice(0, Math.max(colon, 0))) {
    case 'agent':
      return agents.includes(name);
    case 'play':
      return card.play.id === name;
    case 'account':
      return card.facts.accountId === name;
    default:
      return colon < 0;
  }
}
