import { Button, Group, Text } from '@mantine/core';
import { IconChevronDown, IconChevronRight, IconExternalLink } from '@tabler/icons-react';
import { useId } from 'react';
import { time } from '../../app/console-time.js';
import { legible, type Named } from '../../parts/named.js';
import { useOpen } from '../../parts/use-open.js';
import { Exactly } from '../../parts/when.js';
import { ProofBadge } from './proof-badge.js';
import { StepFacts } from './step-facts.js';
import type { Step } from './stories.queries.js';
import { asSentence, doerWords } from './words.js';

/** One step: when, what and who. The other facts are behind one fold. */
export function StoryStep({ step, named }: { readonly step: Step; readonly named: Named }) {
  const [open, toggle] = useOpen(step.id);
  const facts = useId();
  const Chevron = open ? IconChevronDown : IconChevronRight;
  return (
    <>
      <Text className="any-break">{asSentence(legible(step.detail, named, time.now()))}</Text>
      <Text size="sm" c="dimmed">
        <Exactly at={step.at} /> · {doerWords(step.by)}
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
      <div id={facts}>{open && <StepFacts step={step} named={named} />}</div>
    </>
  );
}
