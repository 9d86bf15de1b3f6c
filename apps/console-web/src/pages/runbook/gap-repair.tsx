import { List, Text } from '@mantine/core';
import { When } from '../../parts/when.js';
import {
  type GapsOfTopic,
  howToRepair,
  isOne,
  lackingState,
  placeText,
  servicesOf,
  whatHappened,
} from './gap-words.js';
import { Command } from './step.js';

/** What happened to the records of a topic, what follows from it, and how to repair it. */
export function Repair({ chosen: { topic, gaps } }: { readonly chosen: GapsOfTopic }) {
  const isState = gaps.some(({ state }) => state !== null);
  const lacking = lackingState(gaps);
  return (
    <>
      {whatHappened(gaps).map((sentence) => (
        <Text key={sentence} size="sm">
          {sentence}
        </Text>
      ))}
      <List size="sm" aria-label="What cannot be read">
        {gaps.map((gap) => (
          <List.Item key={gap.gapId} className="breaks">
            {gap.service}: {placeText(gap)}, noticed <When at={gap.noticedAt} />
          </List.Item>
        ))}
      </List>
      {lacking && <PublishAgain topic={topic} lacking={lacking} />}
      {isState && !lacking && (
        <Text size="sm">
          This is a state topic. Its writer, {gaps[0]?.state?.writer}, publishes everything of its table on the new
          topic by itself. Nothing has to be repaired.
        </Text>
      )}
      {!isState && (
        <>
          <Text size="sm">
            {howToRepair(topic)} The record has everything that the recorder has read: look an id up there.
          </Text>
          <Command text="npx countersign show <id>" about="From the command line:" />
        </>
      )}
    </>
  );
}

/** Of a state topic, what was deleted is in the table of its writer. */
function PublishAgain({
  topic,
  lacking: { writer, publishedAgainAt, gaps },
}: {
  readonly topic: string;
  readonly lacking: NonNullable<ReturnType<typeof lackingState>>;
}) {
  return (
    <>
      <Text size="sm">
        This is a state topic, so a stop or a withdrawal may be among the deleted records. Until the gap is closed,{' '}
        {servicesOf(gaps)} {isOne(gaps) ? 'decides and executes' : 'decide and execute'} nothing that depends on this
        topic. Its writer, {writer}, still has everything in its table and must publish it again. Mark the topic as lost
        in the database of {writer}, then restart {writer}. It then has a gap of its own here, of a topic that was made
        again.
      </Text>
      <Command
        text={`UPDATE topic_ids SET id = 'lost' WHERE topic = '${topic}'`}
        about={`In the schema ${writer.replaceAll('-', '_')}:`}
      />
      <Text size="sm" fw={600} role="status">
        {publishedAgainAt === null ? (
          `${writer} has not published its table again since then.`
        ) : (
          <>
            {writer} published its table again <When at={publishedAgainAt} />.
          </>
        )}
      </Text>
    </>
  );
}
