import { Card, Group, SimpleGrid, Text, Title } from '@mantine/core';
import { Bars } from './bars.js';
import type { Now, Rate } from './now.queries.js';
import { Section } from './section.js';

const stages: Readonly<Record<Rate['stage'], { readonly title: string; readonly explained: string }>> = {
  signals: { title: 'Signals', explained: 'What happened outside' },
  tasks: { title: 'Tasks', explained: 'Work given to an agent' },
  proposals: { title: 'Proposals', explained: 'What agents want to do' },
  verdicts: { title: 'Verdicts', explained: 'What the rules decide; again after a person’s answer' },
  settlements: { title: 'Settlements', explained: 'What became of it' },
};

/** The labels that do not explain themselves. */
const labelWords: Readonly<Record<string, string>> = {
  escalated: 'left to a person',
  superseded: 'replaced by a person’s edit',
};

/** From a signal to its effect, with how fast. */
export function Funnel({ now }: { readonly now: Now }) {
  const totals = totalsOf(now);
  return (
    <Section title="From signals to effects" explained="How many passed in the last hour, and each minute of it.">
      <SimpleGrid cols={{ base: 1, xs: 2, md: 3, xl: 5 }}>
        {now.rates.map((rate) => (
          <Card key={rate.stage} withBorder component="article" aria-label={stages[rate.stage].title} padding="sm">
            <Title order={3} size="h5">
              {stages[rate.stage].title}
            </Title>
            <Text size="xs" c="dimmed">
              {stages[rate.stage].explained}
            </Text>
            <Group justify="space-between" align="baseline" mt="xs" wrap="nowrap">
              <Text fz={28} fw={700} lh={1.1} className="numbers">
                {rate.lastHour.toLocaleString()}
              </Text>
              <Text size="sm" c="dimmed" className="numbers">
                {rate.lastMinute.toLocaleString()} in the last minute
              </Text>
            </Group>
            <Bars values={rate.perMinute} />
            <Text size="sm" mih="1.6em">
              {Object.entries(rate.byLabel)
                .filter(([, n]) => n > 0 && Object.keys(rate.byLabel).length > 1)
                .sort(([a], [b]) => (a < b ? -1 : 1))
                .map(([label, n]) => `${n.toLocaleString()} ${labelWords[label] ?? label}`)
                .join(', ')}
            </Text>
            <Text size="xs" c="dimmed">
              {totals[rate.stage].toLocaleString()} since the beginning
            </Text>
          </Card>
        ))}
      </SimpleGrid>
    </Section>
  );
}

const totalsOf = ({ funnel }: Now): Readonly<Record<Rate['stage'], number>> => ({
  signals: funnel.signals.accepted + funnel.signals.rejected,
  tasks: funnel.tasks.assigned,
  proposals: funnel.proposals.total,
  verdicts: funnel.verdicts.approved + funnel.verdicts.refused + funnel.verdicts.escalated + funnel.verdicts.superseded,
  settlements: Object.values(funnel.settled).reduce((sum, n) => sum + n, 0),
});
