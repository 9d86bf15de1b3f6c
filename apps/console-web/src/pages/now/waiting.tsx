import { Anchor, Card, Group, List, SimpleGrid, Text, Title } from '@mantine/core';
import { IconCircleCheck, IconClock } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { time } from '../../app/console-time.js';
import { capital } from '../../parts/capital.js';
import { actionText } from '../../parts/named.js';
import { reviewPath } from '../../parts/page-link.js';
import { plainText } from '../../parts/reason.js';
import { sentence } from '../../parts/sentence.js';
import { When } from '../../parts/when.js';
import { openReviewsQuery } from '../reviews/reviews.queries.js';
import type { Now } from './now.queries.js';
import { Section } from './section.js';

/** What only a person can end, and how long it has waited. */
export function Waiting({ waiting: { reviews, unresolved, deadLetters, gaps } }: { readonly waiting: Now['waiting'] }) {
  const cards = useInfiniteQuery({ ...openReviewsQuery, enabled: reviews.count > 0 }).data?.cards ?? [];
  return (
    <Section title="Waits for a person">
      <SimpleGrid cols={{ base: 1, md: 3 }} className="each-its-height">
        <Kind
          title="Reviews"
          explained="Actions that a rule leaves to a person. Without an answer an action is refused at its deadline."
          count={reviews.count}
          oldestAt={reviews.oldestAt}
          all={<Link to="/reviews">All reviews</Link>}
        >
          {reviews.first.map(({ id, detail, deadline }) => (
            <List.Item key={id}>
              <Anchor component={Link} to={reviewPath(id)}>
                {sentenceOf(
                  cards.find((card) => card.id === id),
                  detail,
                )}
              </Anchor>
              <Text size="sm" c="dimmed">
                Answer due <When at={deadline} />
              </Text>
            </List.Item>
          ))}
        </Kind>
        <Kind
          title="Unresolved actions"
          explained="The connected system did not say whether it was done. The money that it may have cost stays reserved until a person has looked."
          count={unresolved.count}
          oldestAt={unresolved.oldestAt}
          all={
            <Link to="/runbook/$guide" params={{ guide: 'hand-back' }}>
              Settle them
            </Link>
          }
        >
          {unresolved.first.map(({ permitId, action, connector, at, decidedBy }) => (
            <List.Item key={permitId}>
              <Text>
                {action === null ? 'An action' : capital(actionText(action.detail, action, time.now()))}, by {connector}
              </Text>
              <Text size="sm" c="dimmed">
                {decidedBy === null ? (
                  <>
                    Called <When at={at} />; no answer came
                  </>
                ) : (
                  <>
                    {decidedBy} has decided and the executor has not settled it yet; called <When at={at} />
                  </>
                )}
              </Text>
            </List.Item>
          ))}
        </Kind>
        <Kind
          title="Dead letters"
          explained="Events that a service could not handle. They are kept until somebody has them handled again."
          count={deadLetters.count}
          oldestAt={deadLetters.oldestAt}
          all={
            <Link to="/runbook/$guide" params={{ guide: 'replay' }}>
              Handle them again
            </Link>
          }
        >
          {deadLetters.byService.map((figure) => (
            <OfService key={figure.service} figure={figure} oldest="The oldest" />
          ))}
        </Kind>
        {gaps.count > 0 && (
          <Kind
            title="Gaps"
            explained="Records that a service needed were deleted before it read them. What they said is missing there until a person has seen to it."
            count={gaps.count}
            oldestAt={gaps.oldestAt}
            all={
              <Link to="/runbook/$guide" params={{ guide: 'gap' }}>
                See to them
              </Link>
            }
          >
            {gaps.byService.map((figure) => (
              <OfService key={figure.service} figure={figure} oldest="The oldest noticed" />
            ))}
          </Kind>
        )}
      </SimpleGrid>
    </Section>
  );
}

interface OfServiceProps {
  readonly figure: Now['waiting']['gaps']['byService'][number];
  readonly oldest: string;
}

const OfService = ({ figure: { service, n, oldestAt }, oldest }: OfServiceProps) => (
  <List.Item>
    <Text>
      {n.toLocaleString()} of {service}
    </Text>
    <Text size="sm" c="dimmed">
      {oldest} <When at={oldestAt} />
    </Text>
  </List.Item>
);

function Kind({ title, explained, count, oldestAt, all, children }: KindProps) {
  const none = count === 0;
  const Icon = none ? IconCircleCheck : IconClock;
  return (
    <Card withBorder component="article" aria-label={title} padding="sm">
      <Group justify="space-between" wrap="nowrap">
        <Title order={3} size="h5">
          {title}
        </Title>
        <Group gap={6} wrap="nowrap">
          <Icon size={20} aria-hidden />
          <Text fz={24} fw={700} lh={1.1} className="numbers">
            {count.toLocaleString()}
          </Text>
        </Group>
      </Group>
      <Text size="sm" c="dimmed">
        {explained}
      </Text>
      {none ? (
        <Text size="sm" mt="xs">
          Nothing waits.
        </Text>
      ) : (
        <>
          {oldestAt !== null && (
            <Text size="sm" mt="xs" fw={600}>
              The oldest came <When at={oldestAt} />
            </Text>
          )}
          <List spacing="xs" my="xs" listStyleType="none">
            {children}
          </List>
          <Text className="to-all">{all}</Text>
        </>
      )}
    </Card>
  );
}

interface KindProps {
  readonly title: string;
  readonly explained: string;
  readonly count: number;
  readonly oldestAt: string | null;
  /** The link to the page on which the person does it. */
  readonly all: ReactNode;
  readonly children: ReactNode;
}

/** As its card says it. Until the card is loaded, as the event says it. */
const sentenceOf = (card: Parameters<typeof sentence>[0] | undefined, detail: string): string =>
  card ? sentence(card) : capital(plainText(detail));
