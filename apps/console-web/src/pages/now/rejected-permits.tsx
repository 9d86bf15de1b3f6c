import { List, Text } from '@mantine/core';
import { capital } from '../../parts/capital.js';
import { PageLink, storyPath } from '../../parts/page-link.js';
import { When } from '../../parts/when.js';
import type { Now } from './now.queries.js';
import { Section } from './section.js';

/** The permits that an executor rejected in the last days, by executor and reason. */
export function RejectedPermits({ rejected: { count, first } }: { readonly rejected: Now['permitsRejected'] }) {
  if (count === 0) return null;
  const shown = first.reduce((sum, { count: n }) => sum + n, 0);
  return (
    <Section
      title="Rejected permits"
      explained="An executor did nothing with these in the last seven days. A permit that is not genuine means that somebody writes approvals who may not: find out who."
    >
      <List listStyleType="none" spacing="xs">
        {first.map(({ detail, count: n, lastAt, proposalId }) => (
          <List.Item key={detail}>
            <Text className="any-break">{capital(detail)}</Text>
            <Text size="sm" c="dimmed">
              {n === 1 ? 'Once' : `${n.toLocaleString()} times, the last`} <When at={lastAt} />.
              {proposalId !== null && (
                <>
                  {' '}
                  <PageLink to={storyPath(proposalId)} size="sm" aria-label={`Its story: ${detail}`}>
                    Its story
                  </PageLink>
                </>
              )}
            </Text>
          </List.Item>
        ))}
      </List>
      {shown < count && (
        <Text size="sm">
          And {(count - shown).toLocaleString()} more for other reasons: countersign status counts all.
        </Text>
      )}
    </Section>
  );
}
