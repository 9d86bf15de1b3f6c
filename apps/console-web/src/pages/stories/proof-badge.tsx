import { Badge, Group } from '@mantine/core';
import { proofWords } from './proof-words.js';
import type { Step } from './stories.queries.js';
import { proofOf, useProof } from './use-proof.js';

/** Whether a step is in the record, as far as this browser could find out. */
export function ProofBadge({ step }: { readonly step: Step }) {
  const proof = useProof(step);
  const { words, color, Icon } = proofWords(proofOf(proof), step.at);
  return (
    <Group gap="xs" mt={4} className="proof">
      <Badge variant="outline" color={color} className="plain-badge" leftSection={<Icon size={14} aria-hidden />}>
        {words}
      </Badge>
    </Group>
  );
}
