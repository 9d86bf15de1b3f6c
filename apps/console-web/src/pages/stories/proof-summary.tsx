import { Alert, Button, Collapse, Group, Progress, Stack, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconShieldCheck, IconShieldQuestion, IconShieldX } from '@tabler/icons-react';
import { useQueries, useQueryClient } from '@tanstack/react-query';
import { useId } from 'react';
import { worstWords } from './proof-words.js';
import type { Step } from './stories.queries.js';
import { proofOf, proofQuery } from './use-proof.js';

/** How many steps this browser has found in the record, and what that shows. */
export function ProofSummary({ steps }: { readonly steps: readonly Step[] }) {
  const client = useQueryClient();
  const [open, { toggle }] = useDisclosure();
  const explained = useId();
  const proofs = useQueries({ queries: steps.map((step) => proofQuery(client, step)) });
  const count = (...states: readonly string[]) =>
    proofs.filter(({ data }) => data !== undefined && states.includes(data.state)).length;
  const [proved, wrong] = [count('proved'), count('wrong')];
  const under = proofs.filter(({ isPending }) => isPending).length;
  const all = proved === steps.length;
  const known = proofs.flatMap((read, n) => {
    const proof = read.data ?? proofOf(read);
    return proof ? [{ proof, at: steps[n]?.at ?? '' }] : [];
  });
  const Icon = wrong > 0 ? IconShieldX : all ? IconShieldCheck : IconShieldQuestion;
  return (
    <Alert
      className="plain-alert"
      variant="outline"
      color={wrong > 0 ? 'red' : all ? 'green' : 'gray'}
      icon={<Icon aria-hidden />}
      title={
        under > 0
          ? `Checking against the record: ${steps.length - under} of ${steps.length} steps`
          : wrong > 0
            ? `${wrong} of ${steps.length} proofs are wrong`
            : `${proved} of ${steps.length} steps are in the record`
      }
    >
      <Stack gap="xs">
        {/* It stays when it is full, so that nothing below moves up. */}
        <Progress
          value={((steps.length - under) / steps.length) * 100}
          color={wrong > 0 ? 'red' : all ? 'green' : 'gray'}
          aria-label="Steps checked against the record"
        />
        <Text size="sm" className="proof-advice">
          {under > 0 ? 'This browser asks the record for each step, and computes the proof itself.' : worstWords(known)}
        </Text>
        <Group>
          <Button size="xs" variant="default" onClick={toggle} aria-expanded={open} aria-controls={explained}>
            What this shows
          </Button>
        </Group>
        <Collapse expanded={open} id={explained}>
          <Text size="sm">
            The record is a log of every event that nobody can change unseen. For each step, this browser took the bytes
            of its event as the console read them from Kafka, computed their place in the log, and checked the log's
            signed head with the record's key. 'In the record' means: the record holds exactly these bytes at this
            place, and they cannot be changed or taken out later without a wrong proof. It does not mean that what an
            event says is true, and not that no event is missing. The key comes from this console. If you do not trust
            it, compare the key on the page Record with the auditor's key.
          </Text>
        </Collapse>
      </Stack>
    </Alert>
  );
}
