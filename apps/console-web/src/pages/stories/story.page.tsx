import { Alert, Anchor, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconInfoCircle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { time } from '../../app/console-time.js';
import { Empty } from '../../parts/empty.js';
import { Id } from '../../parts/id.js';
import { LongList } from '../../parts/long-list.js';
import { legible, nothingNamed } from '../../parts/named.js';
import { agentPath, PageLink } from '../../parts/page-link.js';
import { Problem } from '../../parts/problem.js';
import { When } from '../../parts/when.js';
import { OutcomeBadge } from './outcome-badge.js';
import { outcomes, reasonWords } from './outcomes.js';
import { ProofSummary } from './proof-summary.js';
import { type Step, storyQuery, type WholeStory } from './stories.queries.js';
import { StoryStep } from './story-step.js';
import './stories.css';
import { asSentence, storySentence } from './words.js';

const stepId = ({ id }: Step): string => id;

/** One story, from its beginning to its outcome. */
export function StoryPage() {
  const { id = '' } = useParams({ strict: false }) as { id?: string };
  const asked = useQuery(storyQuery(id));
  const story = asked.data?.story ?? undefined;
  const steps = asked.data?.steps ?? [];
  const title = story ? storySentence(story) : 'What happened';
  return (
    <Stack>
      <title>{`${title} · Countersign`}</title>
      <Anchor component={Link} to="/stories" size="sm">
        All stories
      </Anchor>
      <Title order={1} size="h2" className="any-break">
        {asked.data ? title : 'Story'}
      </Title>
      {asked.isError && <Problem error={asked.error} again={() => void asked.refetch()} />}
      {asked.isPending && [1, 2, 3, 4, 5].map((n) => <Skeleton key={n} h={84} />)}
      {story && <Head story={story} />}
      {asked.data && steps.length === 0 && (
        <Empty title="The steps are no longer here">
          The console keeps steps for seven days; the record keeps them for ever. An auditor reads them with{' '}
          <code>npx countersign show {id}</code>.
        </Empty>
      )}
      {steps.length > 0 && (
        <>
          {!asked.data?.complete && (
            <Text size="sm" c="dimmed">
              The first steps of this story are not here: the console keeps steps for seven days; the record keeps them
              for ever. An auditor reads them with <code>npx countersign show {id}</code>.
            </Text>
          )}
          <ProofSummary steps={steps} />
          <Title order={2} size="h4">
            Step by step
          </Title>
          <Text size="sm" c="dimmed">
            The steps are in the order of their time. The record numbers its entries in the order in which it read them,
            topic by topic. So a later step can have a smaller number.
          </Text>
          <LongList
            key={id}
            label="Steps"
            rows={steps}
            keyOf={stepId}
            height={130}
            gap={0}
            className="story-steps"
            ordered
          >
            {(step) => <StoryStep step={step} named={story ?? nothingNamed} />}
          </LongList>
        </>
      )}
      {asked.data?.more && (
        <Text size="sm" c="dimmed">
          These are the first 500 steps of a longer story. <code>npx countersign show {id}</code> tells all of them.
        </Text>
      )}
    </Stack>
  );
}

/** What a person can do about a refusal, and where the limit is that refused. */
const AfterRefusal = ({ story }: { readonly story: WholeStory }) => (
  <Text size="sm" mt="xs">
    Nothing was done. <NextStep agent={story.agent} by={story.refusedBy ?? 'rule'} />
  </Text>
);

function NextStep({ agent, by }: { readonly agent: string; readonly by: NonNullable<WholeStory['refusedBy']> }) {
  const limits = <PageLink to={agentPath(agent)}>the limits and rules for {agent}</PageLink>;
  switch (by) {
    case 'stop':
      return (
        <>
          If it may go on, resume it on the page <PageLink to="/">Now</PageLink>. After that the agent can propose it
          again.
        </>
      );
    case 'person':
      return 'This action is over. The agent may propose another one.';
    case 'deadline':
      return (
        <>The agent may propose it again, and then a person is asked again. How long a person has is in {limits}.</>
      );
    case 'rule':
      return (
        <>
          The agent can propose it again when the reason is over. If the rule is too strict, see {limits}; a policy
          owner changes them on the page <PageLink to="/policy">Policy</PageLink>.
        </>
      );
    default:
      return by satisfies never;
  }
}

function Head({ story }: { readonly story: WholeStory }) {
  const { account, agent, play, outcome, reason } = story;
  return (
    <>
      <Group gap="sm">
        <OutcomeBadge outcome={outcome} />
        <Text size="sm" c="dimmed">
          <When at={story.changedAt} />
        </Text>
      </Group>
      {reason !== null && (
        <Alert
          className="plain-alert"
          icon={<IconInfoCircle aria-hidden />}
          color={outcomes[outcome].color}
          title={reasonWords[outcome] ?? 'Why'}
          variant="outline"
        >
          {asSentence(legible(reason, story, time.now()))}
          {outcome === 'refused' && <AfterRefusal story={story} />}
        </Alert>
      )}
      <Text size="sm">
        Proposed by{' '}
        <Anchor component={Link} to="/stories" search={{ agent } as never} inherit>
          {agent}
        </Anchor>{' '}
        in the play{' '}
        <Anchor component={Link} to="/stories" search={{ play: play.id } as never} inherit>
          {play.title}
        </Anchor>
        {account !== null && (
          <>
            {' '}
            for the account{' '}
            <Anchor component={Link} to="/stories" search={{ account: account.id } as never} inherit>
              {account.name ?? account.id}
            </Anchor>
          </>
        )}
        , <When at={story.startedAt} />. <Id id={story.id} label="proposal's id" />
      </Text>
    </>
  );
}
