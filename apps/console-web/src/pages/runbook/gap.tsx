import { Card, Radio, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useMay } from '../../app/session.js';
import { Empty } from '../../parts/empty.js';
import { Problem } from '../../parts/problem.js';
import { When } from '../../parts/when.js';
import { nowQuery } from '../now/now.queries.js';
import { Acknowledge } from './gap-acknowledge.js';
import { Repair } from './gap-repair.js';
import { type GapsOfTopic, placeText, servicesOf, standingOf, waitingTopics } from './gap-words.js';
import { type AcknowledgedGap, acknowledgedGapsQuery, type OpenGap, openGapsQuery } from './runbook.queries.js';
import { Command, NeedsRole, Step } from './step.js';

export function GapGuide() {
  const gaps = useQuery(openGapsQuery);
  const mayAcknowledge = useMay('operator');
  const [topic, setTopic] = useState<string>();
  const acknowledged = useQuery(acknowledgedGapsQuery);
  const problems = (
    <>
      {gaps.isError && <Problem error={gaps.error} again={() => void gaps.refetch()} />}
      {acknowledged.isError && <Problem error={acknowledged.error} again={() => void acknowledged.refetch()} />}
    </>
  );
  if (!gaps.data || !acknowledged.data) return gaps.isError || acknowledged.isError ? problems : <Skeleton h={200} />;
  const { open, more } = gaps.data;
  const topics = waitingTopics(open);
  const chosen = topics.find((waiting) => waiting.topic === topic);
  return (
    <>
      {problems}
      {topics.length === 0 ? (
        <Empty title="No gap waits for a person">
          A gap appears here a few seconds after a service notices that records were deleted before it read them. Until
          a person acknowledges it, the health page of the service and the audit report it.
        </Empty>
      ) : (
        <Step n={1} title="Choose a topic">
          <Radio.Group value={topic ?? ''} onChange={setTopic} label="Topics with open gaps">
            <Stack mt="xs">
              {topics.map((waiting) => (
                <Radio
                  key={waiting.topic}
                  value={waiting.topic}
                  label={<span className="breaks">{waiting.topic}</span>}
                  description={<About waiting={waiting} />}
                />
              ))}
            </Stack>
          </Radio.Group>
          {more && <Text size="sm">These are the oldest 500 gaps. The others appear when these are closed.</Text>}
        </Step>
      )}
      {chosen && (
        <>
          <Step n={2} title="Find out what was lost, and repair it">
            <Repair chosen={chosen} />
          </Step>
          <Step n={3} title="Acknowledge it">
            {mayAcknowledge ? (
              <Acknowledge key={chosen.topic} chosen={chosen} />
            ) : (
              <NeedsRole holder="an operator" act="acknowledge it" />
            )}
            <Command
              text={`npx countersign gaps acknowledge ${chosen.topic} --note "what was lost, and what you did"`}
            />
          </Step>
        </>
      )}
      {topics.length === 0 && open.length === 0 ? (
        <Stack gap="xs" component="section" aria-labelledby="closed-gaps">
          <Title order={2} size="h4" id="closed-gaps">
            Whether all gaps are closed
          </Title>
          <Closed open={open} acknowledged={acknowledged.data} />
        </Stack>
      ) : (
        <Step n={4} title="See that it is closed">
          <Closed open={open} acknowledged={acknowledged.data} />
        </Step>
      )}
    </>
  );
}

const About = ({ waiting: { gaps } }: { readonly waiting: GapsOfTopic }) => (
  <>
    {gaps.length === 1 ? '1 gap' : `${gaps.length} gaps`} of {servicesOf(gaps)},{' '}
    {gaps.length === 1 ? 'noticed' : 'the first noticed'} <When at={gaps[0]?.noticedAt ?? ''} />
  </>
);

/** What the services answered to each acknowledgement, and the command that asks the services themselves. */
function Closed({
  open,
  acknowledged,
}: {
  readonly open: readonly OpenGap[];
  readonly acknowledged: readonly AcknowledgedGap[];
}) {
  const now = useQuery(nowQuery);
  const notRunning = new Set(
    now.data?.services.flatMap(({ service, instances }) => (instances === 0 ? [service] : [])) ?? [],
  );
  const waiting = open.filter((gap) => gap.acknowledged !== null);
  return (
    <>
      <Text role="status" fw={600}>
        {waiting.length > 0
          ? `Not closed yet: ${waiting.length === 1 ? '1 gap' : `${waiting.length} gaps`} of ${servicesOf(waiting)}.`
          : open.length > 0
            ? 'There are open gaps that nobody has acknowledged.'
            : 'No service reports an open gap.'}
      </Text>
      <Command text="npx countersign gaps" about="This command asks every service itself. It ends with “No gaps.”:" />
      {now.isError && <Problem error={now.error} again={() => void now.refetch()} />}
      {acknowledged.map((word) => (
        <Card
          key={`${word.gapId} ${word.at}`}
          withBorder
          padding="sm"
          component="article"
          aria-label={`Gap of ${word.service}`}
        >
          <Text fw={600} className="breaks">
            {word.service}: {word.topic}, {placeText(word)}
          </Text>
          <Text size="sm">{standingOf(word, open, notRunning).text}</Text>
          <Text size="sm" c="dimmed" className="breaks">
            {word.by}, <When at={word.at} />: “{word.note}”
          </Text>
        </Card>
      ))}
    </>
  );
}
