import { Button, Group, Text } from '@mantine/core';
import { IconChevronDown, IconChevronRight, IconExternalLink } from '@tabler/icons-react';
import { useId } from 'react';
import { full } from '../../parts/times.js';
import { useOpen } from '../../parts/use-open.js';
import { When } from '../../parts/when.js';
import { ProofBadge } from './proof-badge.js';
import { StepFacts } from './step-facts.js';
import type { Step, Story } from './stories.queries.js';
import { asSentence, doerWords, legible } from './words.js';

/** One step: when, what and who. The other facts are behind one fold. */
export function StoryStep({ step, people }: { readonly step: Step; readonly people: Story['people'] }) {
  const [open, toggle] = useOpen(step.id);
  const facts = useId();
  const Chevron = open ? IconChevronDown : IconChevronRight;
  return (
    <>
      <Text className="any-break">{asSentence(legible(step.detail, people, Date.now()))}</Text>
      <Text size="sm" c="dimmed" title={full(step.at)}>
        <When at={step.at} /> · {doerWords(step.by)}
      </Text>
      <ProofBadge step={step} />
      <Group gap="xs" mt={4}>
        <Button
          size="compact-sm"
          variant="subtle"
          leftSection={<Chevron size={16} aria-hidden />}
          onClick={toggle}
          aria-expanded={open}
          aria-controls={facts}
        >
          Facts and rules
        </Button>
        {step.traceUrl !== null && (
          <Button
            size="compact-sm"
            variant="subtle"
            component="a"
            href={step.traceUrl}
            target="_blank"
            rel="noreferrer"
            rightSection={<IconExternalLink size={14} aria-hidden />}
          >
            Trace
          </Button>
        )}
      </Group>
      <div id={facts}>{open && <StepFacts step={step} />}</div>
    </>
  );
}
