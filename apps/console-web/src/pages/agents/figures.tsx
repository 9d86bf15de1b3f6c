import { Card, Group, Progress, Stack, Text, Title } from '@mantine/core';
import { categoryOf, categoryWords } from '../../parts/rejection-words.js';
import { ruleWords } from '../../parts/rule-words.js';
import { When } from '../../parts/when.js';
import type { AgentPage } from './agents.queries.js';
import { tokensSentence } from './tokens.js';

/** What an agent did in a period, the outcomes, and how often people decided otherwise. */
export function Figures({ page }: { readonly page: AgentPage }) {
  const { figures: f, from, since } = page;
  const rules = Object.entries(f.refusedBy).sort(([, a], [, b]) => b - a);
  const most = rules[0]?.[1] ?? 1;
  const rejections = rejectionsOf(f);
  const numbers = [
    ['Proposed', f.proposed],
    ['Approved', f.approved],
    ['Refused', f.refused],
    ['A person was asked', f.escalated],
    ['A person approved', f.answers.approve],
    ['A person changed it', f.answers.edit],
    ['A person rejected it', f.answers.reject],
  ] as const;
  return (
    <Card withBorder component="section" aria-labelledby="figures">
      <Title order={2} size="h4" id="figures">
        Figures
      </Title>
      <Text size="sm" c="dimmed">
        From {new Date(`${from}T00:00:00Z`).toLocaleDateString(undefined, { dateStyle: 'medium', timeZone: 'UTC' })}{' '}
        (UTC) until now. They are kept since <When at={since} />; what happened before is in the record.
      </Text>
      <dl className="figures">
        {numbers.map(([label, n]) => (
          <div key={label}>
            <dt className="row-note">{label}</dt>
            <dd>{n.toLocaleString()}</dd>
          </div>
        ))}
      </dl>
      <Text size="sm" c="dimmed" mt="xs">
        An action that a person is asked about counts there, and again as approved or refused when it is decided.
      </Text>
      {rejections.length > 0 && (
        <Stack gap={4} mt="md" component="section" aria-labelledby="rejections">
          <Title order={3} size="h5" id="rejections">
            Why people rejected it
          </Title>
          {rejections.map(([words, n]) => (
            <Group key={words} justify="space-between" wrap="nowrap">
              <Text component="span" size="sm" className="grow">
                {words}
              </Text>
              <Text component="span" size="sm" className="figure">
                {n.toLocaleString()}
              </Text>
            </Group>
          ))}
        </Stack>
      )}
      {rules.length > 0 && (
        <Stack gap="xs" mt="md">
          <Title order={3} size="h5">
            Why it was refused
          </Title>
          {rules.map(([rule, n]) => (
            <div key={rule}>
              <Group justify="space-between" wrap="nowrap">
                <Text size="sm" className="grow">
                  {ruleWords(rule)} <code className="raw-name">{rule}</code>
                </Text>
                <Text size="sm" className="figure">
                  {n.toLocaleString()}
                </Text>
              </Group>
              <Progress value={(n / most) * 100} color="red" size="sm" aria-hidden />
            </div>
          ))}
          <Text size="sm" c="dimmed">
            One refusal can rest on several rules.
          </Text>
        </Stack>
      )}
      <Tokens page={page} />
    </Card>
  );
}

/** Rejections by reason, the most frequent first. Last are those that have none, or were made before reasons were counted. */
function rejectionsOf({ answers, rejectedFor }: AgentPage['figures']): readonly (readonly [string, number])[] {
  const counted = Object.entries(rejectedFor).sort(([, a], [, b]) => b - a);
  const others = answers.reject - counted.reduce((sum, [, n]) => sum + n, 0);
  const named = counted.map(([name, n]) => {
    const category = categoryOf(name);
    return [category ? categoryWords('proposal', category) : name, n] as const;
  });
  return [...named, ...(others > 0 ? [['No reason is known', others] as const] : [])];
}

/** The tokens that its model used in the period, and the average for a proposal. */
function Tokens({ page }: { readonly page: AgentPage }) {
  const { tokens } = page.figures;
  const { input, output, perProposal, state } = tokens;
  const least = state === 'at-least' ? 'at least ' : '';
  const numbers = [
    ['Tokens in', input],
    ['Tokens out', output],
    ['Tokens in, per proposal', perProposal?.input],
    ['Tokens out, per proposal', perProposal?.output],
  ] as const;
  return (
    <Stack gap="xs" mt="md" component="section" aria-labelledby="tokens">
      <Title order={3} size="h5" id="tokens">
        Tokens of its model
      </Title>
      <Text size="sm" className="words">
        {tokensSentence(tokens)}
      </Text>
      {input !== null && (
        <dl className="figures">
          {numbers.map(([label, n]) => (
            <div key={label}>
              <dt className="row-note">{label}</dt>
              <dd>{typeof n === 'number' ? `${least}${n.toLocaleString()}` : 'no proposal'}</dd>
            </div>
          ))}
        </dl>
      )}
      <Text size="sm" c="dimmed">
        Tokens are counted since <When at={page.tokensSince} />. Calls that failed or were repeated count. The figures
        per proposal are averages.
      </Text>
    </Stack>
  );
}
