import { Alert, List, Text } from '@mantine/core';
import { IconAlertTriangle, IconCircleX, IconClock, IconInfoCircle } from '@tabler/icons-react';
import { capital } from '../../parts/capital.js';
import { Id } from '../../parts/id.js';
import { PageLink, playPath } from '../../parts/page-link.js';
import { campaignName } from '../../parts/sentence.js';
import { useNow } from '../../parts/use-now.js';
import { When } from '../../parts/when.js';
import { withoutIds } from './facts.js';
import type { Checkpoint } from './reviews.queries.js';

interface Props {
  readonly card: Checkpoint;
}

const ThePlay = ({ card: { play } }: Props) => <PageLink to={playPath(play.id)}>The play “{play.title}”</PageLink>;

/** The tasks that an approval gives to their agents. */
export const Tasks = ({ card }: Props) => (
  <List spacing="xs">
    {card.facts.tasks.map(({ taskId, purpose, agent, may, has }) => (
      <List.Item key={taskId}>
        {purpose}
        <Text size="sm" c="dimmed">
          {agent} may {may}. It has {has} from the moment when the task goes out.
        </Text>
      </List.Item>
    ))}
  </List>
);

/** The account, the campaign and the people that the tasks are about. */
export function Concerned({ card }: Props) {
  const { account, accountId, adAccountId, campaignId, campaigns, contacts } = card.facts;
  return (
    <List listStyleType="none" spacing={6} className="facts">
      {account !== null && (
        <List.Item>
          Account {account} {accountId !== null && <Id id={accountId} label="account's id" />}
        </List.Item>
      )}
      {campaignId !== null && (
        <List.Item>
          Campaign {campaignName(campaigns, campaignId)}{' '}
          {campaigns.length > 0 && <Id id={campaignId} label="campaign's id" />}
        </List.Item>
      )}
      {adAccountId !== null && <List.Item>Ad account {adAccountId}</List.Item>}
      {contacts > 0 && <List.Item>{contacts === 1 ? '1 contact' : `${contacts} contacts`}</List.Item>}
    </List>
  );
}

/** Says before an answer that an approval lets no task out, because the play in force is not the one that asked. */
export function PlayChanged({ card }: Props) {
  if (card.playChanged === null) return null;
  return (
    <Alert
      color="orange"
      role="alert"
      icon={<IconAlertTriangle aria-hidden />}
      title={
        card.playChanged === 'changed' ? 'The play was changed after it asked' : 'The play is not in force any more'
      }
    >
      <Text size="sm">
        If you approve it now, no task goes out: these are the tasks of the play as it was. Reject it, or let its time
        run out. <ThePlay card={card} />
      </Text>
    </Alert>
  );
}

const looks = {
  rejected: { color: 'gray', title: 'Rejected: no task goes out', icon: <IconCircleX aria-hidden /> },
  suppressed: { color: 'orange', title: 'Approved, but no task went out', icon: <IconInfoCircle aria-hidden /> },
  expired: { color: 'gray', title: 'No answer came in time: no task goes out', icon: <IconClock aria-hidden /> },
} as const;

interface EndedProps extends Props {
  readonly ending: NonNullable<Checkpoint['ending']>;
  readonly me: string | undefined;
}

/** How a checkpoint ended whose tasks never go out: what happened, why, and what a person can do now. */
export function Ended({ card, ending, me }: EndedProps) {
  const now = useNow(60_000);
  const { outcome, by, reason, next, at } = ending;
  const author = by === me ? 'You' : by;
  return (
    <Alert {...looks[outcome]} role="status" aria-live="polite">
      <Text size="sm">
        {outcome === 'suppressed' && (
          <>
            {author} approved it <When at={at} />.{' '}
            {capital(withoutIds(withoutApproval(reason.detail), { people: [], ...card.facts, play: card.play }, now))}.
          </>
        )}
        {outcome === 'rejected' && (
          <>
            {author} rejected it <When at={at} />.
          </>
        )}
        {outcome === 'expired' && (
          <>
            Its time ran out <When at={at} />.
          </>
        )}
      </Text>
      <Text size="sm" mt="xs">
        {next} <ThePlay card={card} />
      </Text>
    </Alert>
  );
}

/** The sentence before says who approved it and when. */
const withoutApproval = (detail: string): string => detail.replace(/^approved by \S+, but /, '');
