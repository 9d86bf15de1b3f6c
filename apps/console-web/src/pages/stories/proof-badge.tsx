import { Badge, Group, Text } from '@mantine/core';
import { IconLoader2, IconShieldCheck, IconShieldQuestion, IconShieldX } from '@tabler/icons-react';
import { noRecordPlace } from '../record/proof/record.js';
import type { Step } from './stories.queries.js';
import { isYoung, type Proof, useProof } from './use-proof.js';

const number = new Intl.NumberFormat();

interface BadgeText {
  readonly words: string;
  readonly color: string;
  readonly Icon: typeof IconShieldCheck;
  readonly more?: string;
}

/** How the page shows a proof. It says that something is in the record only if this browser computed the proof. */
export function proofWords(proof: Proof | undefined, at: string): BadgeText {
  switch (proof?.state) {
    case undefined:
      return { words: 'Checking against the record…', color: 'gray', Icon: IconLoader2 };
    case 'proved':
      return {
        words: `In the record at entry ${number.format(proof.index)}, checkpoint of ${number.format(proof.size)} entries`,
        color: 'green',
        Icon: IconShieldCheck,
      };
    case 'not-signed-yet':
      return {
        words: 'In no checkpoint yet',
        color: 'gray',
        Icon: IconShieldQuestion,
        more: 'The record signs every two seconds. This page asks again.',
      };
    case 'not-on-record':
      return isYoung(at)
        ? {
            words: 'Not in the record yet',
            color: 'gray',
            Icon: IconShieldQuestion,
            more: 'The record takes a moment. This page asks again.',
          }
        : {
            words: 'Not in the record as it is shown here',
            color: 'red',
            Icon: IconShieldX,
            more: 'The record has no event with this content at this place. Do not rely on this step, and tell an auditor.',
          };
    case 'wrong':
      return {
        words: 'The proof is wrong',
        color: 'red',
        Icon: IconShieldX,
        more: `Do not rely on this step, and tell an auditor: ${proof.detail}.`,
      };
    case 'unreachable':
    case 'cannot-check':
      return { words: 'Not checked', color: 'yellow', Icon: IconShieldQuestion, more: proof.detail };
    case 'not-set':
      return {
        words: 'Not checked',
        color: 'gray',
        Icon: IconShieldQuestion,
        more: noRecordPlace,
      };
    case 'forgotten':
      return {
        words: 'Not checked',
        color: 'gray',
        Icon: IconShieldQuestion,
        more: 'The console no longer has the bytes of this event. The record has.',
      };
    default:
      return proof satisfies never;
  }
}

/** Whether a step is in the record, as far as this browser could find out. */
export function ProofBadge({ step }: { readonly step: Step }) {
  const proof = useProof(step);
  const { words, color, Icon, more } = proof.isError
    ? { words: 'Not checked', color: 'yellow', Icon: IconShieldQuestion, more: proof.error.message }
    : proofWords(proof.data, step.at);
  return (
    <Group gap="xs" mt={4} className="proof">
      <Badge variant="outline" color={color} className="plain-badge" leftSection={<Icon size={14} aria-hidden />}>
        {words}
      </Badge>
      {more !== undefined && (
        <Text size="sm" c="dimmed">
          {more}
        </Text>
      )}
    </Group>
  );
}
