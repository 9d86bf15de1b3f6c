import { Badge, Blockquote, List, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconBan, IconCheck, IconHandStop } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { time } from '../../app/console-time.js';
import { Id } from '../../parts/id.js';
import { legible, type Named } from '../../parts/named.js';
import { Problem } from '../../parts/problem.js';
import { withoutContacts } from '../../parts/reason.js';
import { readEvent, traceIdIn } from '../record/proof/event.js';
import { proofWords } from './proof-words.js';
import { eventQuery, type Step } from './stories.queries.js';
import { proofOf, useProof } from './use-proof.js';
import { digestIn, factsOf, type Rule, rationaleOf, rulesOf, tierIn } from './words.js';

const ruleWords: Readonly<Record<string, { words: string; color: string; Icon: typeof IconBan }>> = {
  refuse: { words: 'refuses', color: 'red', Icon: IconBan },
  escalate: { words: 'asks a person', color: 'yellow', Icon: IconHandStop },
  unclear: { words: 'unclear', color: 'orange', Icon: IconAlertTriangle },
  pass: { words: 'passes', color: 'green', Icon: IconCheck },
};

/** The whole content of an event, read from the same bytes that its proof covers. */
export function StepFacts({ step, named }: { readonly step: Step; readonly named: Named }) {
  const event = useQuery({ ...eventQuery(step.id), enabled: step.provable });
  const read = event.data && readEvent(event.data.bytes);
  const proof = useProof(step);
  const { more: advice } = proofWords(proofOf(proof), step.at);
  const { facts, more } = factsOf(read?.value);
  const rules = rulesOf(read?.value);
  const tier = tierIn(read?.value);
  // With a page for traces the step has a link in place of the id.
  const traceId = step.traceUrl === null && read ? traceIdIn(read) : undefined;
  const [rationale, digest] = [rationaleOf(read?.value), digestIn(read?.value)];
  return (
    <Stack gap="xs" mt="xs" className="facts">
      {advice !== undefined && <Text size="sm">{advice}</Text>}
      {event.isError && <Problem error={event.error} again={() => void event.refetch()} />}
      {!step.provable && <Text size="sm">The console keeps the facts of a step for seven days.</Text>}
      {event.data && !read && <Text size="sm">The bytes of this event cannot be read here.</Text>}
      {tier !== undefined && <Text size="sm">Tier: {tier}.</Text>}
      {rules.length > 0 && <Rules rules={rules} named={named} />}
      {rationale !== undefined && (
        <Blockquote p="sm" cite="The agent's own words, which nobody has checked">
          {rationale}
        </Blockquote>
      )}
      {facts.length > 0 && (
        <>
          <Title order={3} size="h6">
            Facts
          </Title>
          <dl className="fact-pairs">
            {facts.map(({ name, value }) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
          {more && <Text size="sm">The event has more facts than are shown.</Text>}
        </>
      )}
      <Title order={3} size="h6">
        Where it stands
      </Title>
      <dl className="fact-pairs">
        <div>
          <dt>event</dt>
          <dd>
            {step.type} <Id id={step.eventId} label="event's id" />
          </dd>
        </div>
        <div>
          <dt>Kafka</dt>
          <dd>
            {step.topic}
            {step.partition !== null && `, partition ${step.partition}, offset ${step.offset}`}
          </dd>
        </div>
        {traceId !== undefined && (
          <div>
            <dt>trace</dt>
            <dd>
              <Id id={traceId} label="id of the trace" />
            </dd>
          </div>
        )}
        {digest !== undefined && (
          <div>
            <dt>digest of the action</dt>
            <dd>
              <Id id={digest} label="digest" />
            </dd>
          </div>
        )}
      </dl>
    </Stack>
  );
}

function Rules({ rules, named }: { readonly rules: readonly Rule[]; readonly named: Named }) {
  return (
    <>
      <Title order={3} size="h6">
        Rules
      </Title>
      <List size="sm" listStyleType="none" spacing={4}>
        {rules.map(({ rule, outcome, detail }) => {
          const { words, color, Icon } = ruleWords[outcome] ?? {
            words: outcome,
            color: 'gray',
            Icon: IconAlertTriangle,
          };
          return (
            <List.Item key={`${rule} ${detail}`}>
              <Badge
                variant="outline"
                color={color}
                className="plain-badge"
                leftSection={<Icon size={12} aria-hidden />}
              >
                {rule} {words}
              </Badge>{' '}
              {withoutContacts(legible(detail, named, time.now()))}
            </List.Item>
          );
        })}
      </List>
    </>
  );
}
