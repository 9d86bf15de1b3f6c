import { Button, Card, List, Progress, Skeleton, Stack, Table, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Command } from '../../parts/command.js';
import { Problem } from '../../parts/problem.js';
import { plainText } from '../../parts/reason.js';
import { Standing } from '../../parts/standing.js';
import { When } from '../../parts/when.js';
import { type Inspection, inspectionsQuery, type KindOfInspection } from './record.queries.js';

const number = new Intl.NumberFormat();
type Kind = KindOfInspection['kind'];

const words: Readonly<
  Record<
    Kind,
    { readonly title: string; readonly does: string; readonly command: string; readonly next: readonly string[] }
  >
> = {
  invariants: {
    title: 'Audit of the invariants',
    does: 'Compares topics, record and connected systems with every promise: nothing ran without a permit, nothing twice, no limit was passed.',
    command: 'npx countersign audit invariants',
    next: [
      'Stop the agent or the account that the findings name.',
      'Whoever ran the command has the ids of each finding. Look at them with countersign show.',
      'Keep topics, databases and record as they are until the cause is known.',
    ],
  },
  probe: {
    title: 'Probe of the gate',
    does: 'Tries every known way around the guardrails, on accounts of its own in the sandbox systems, and says which were closed.',
    command: 'npx countersign probe',
    next: [
      'An attempt that ran is a way around the guardrails: stop everything until it is closed.',
      'An attempt that left no record means that a service did not do its part. See on the page Now which one does not run.',
      'Whoever ran the command has what happened at each attempt.',
    ],
  },
};

/** Audits and probes, which people run as commands: their progress, and what they found. */
export function Inspections() {
  const found = useQuery(inspectionsQuery);
  return (
    <Stack gap="sm" component="section" aria-labelledby="inspections">
      <Title order={2} size="h4" id="inspections">
        Audits and probes
      </Title>
      <Text size="sm">
        These read every topic and the connected systems, and the probe forges events. No service has the logins for
        that, so an auditor runs them as a command, on a computer that has the credentials. The command reports here how
        far it is and what it found.
      </Text>
      {found.isPending && <Skeleton h={160} />}
      {found.isError && <Problem error={found.error} again={() => void found.refetch()} />}
      {found.data?.kinds.map((kind) => (
        <OfKind key={kind.kind} {...kind} />
      ))}
    </Stack>
  );
}

function OfKind({ kind, open, last }: KindOfInspection) {
  const { title, does, command } = words[kind];
  return (
    <Card withBorder component="section" aria-labelledby={`inspection-${kind}`}>
      <Stack gap="xs">
        <Title order={3} size="h5" id={`inspection-${kind}`}>
          {title}
        </Title>
        <Text size="sm">{does}</Text>
        {open && <Open inspection={open} title={title} />}
        {last && <Last inspection={last} />}
        {!open && !last && <Text size="sm">Nobody has run it with this console yet.</Text>}
        <Command command={command} />
      </Stack>
    </Card>
  );
}

function Open({
  inspection: { by, state, startedAt, heardAt, progress },
  title,
}: {
  readonly inspection: Inspection;
  readonly title: string;
}) {
  if (state === 'silent')
    return (
      <>
        <Standing tone="bad">
          Not heard of since <When at={heardAt} />
        </Standing>
        <Text size="sm" className="breaks">
          {by} began it <When at={startedAt} />
          {progress && `, and it was at: ${progress.step}`}. The command has ended, or cannot reach the console. Ask{' '}
          {by}, or run it again.
        </Text>
      </>
    );
  const { step = 'It has just begun', done = 0, total = null } = progress ?? {};
  return (
    <>
      <Standing tone="waiting">
        Runs: {by} began it <When at={startedAt} />
      </Standing>
      <Progress
        value={total === null || total === 0 ? 100 : Math.min(100, (done / total) * 100)}
        animated={total === null}
        striped={total === null}
        aria-label={`Progress: ${title}`}
      />
      <Text size="sm" className="breaks">
        {step}
        {total !== null && `: ${number.format(done)} of ${number.format(total)}`}
      </Text>
    </>
  );
}

const endWords = { clean: 'good', findings: 'bad', broken: 'bad', running: 'waiting', silent: 'bad' } as const;

function Last({ inspection }: { readonly inspection: Inspection }) {
  const { kind, by, state, endedAt, checks } = inspection;
  const [isOpen, setOpen] = useState(false);
  const findings = checks.reduce((sum, check) => sum + check.findings, 0);
  const checked = checks.reduce((sum, check) => sum + check.checked, 0);
  return (
    <>
      <Standing tone={endWords[state]}>
        {state === 'broken'
          ? 'Could not be finished'
          : findings === 0
            ? `Nothing found in ${number.format(checks.length)} checks`
            : `${number.format(findings)} ${findings === 1 ? 'finding' : 'findings'}`}
        : {by}, {endedAt !== null && <When at={endedAt} />}
      </Standing>
      {state === 'broken' && (
        <Text size="sm">Nothing is known from it. Whoever ran the command sees the reason; run it again.</Text>
      )}
      {findings > 0 && (
        <>
          <List size="sm" aria-label="Findings">
            {checks
              .filter((check) => check.findings > 0)
              .map((check) => (
                <List.Item key={check.name} className="breaks">
                  {plainText(check.detail)} ({check.name}): {number.format(check.findings)}
                </List.Item>
              ))}
          </List>
          <Text size="sm" fw={600}>
            What to do now
          </Text>
          <List size="sm">
            {words[kind].next.map((step) => (
              <List.Item key={step}>{step}</List.Item>
            ))}
          </List>
        </>
      )}
      {checks.length > 0 && (
        <Button
          variant="subtle"
          size="compact-sm"
          color="gray"
          w="fit-content"
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          {isOpen
            ? 'Hide the checks'
            : `Show the ${number.format(checks.length)} checks, ${number.format(checked)} things looked at`}
        </Button>
      )}
      {isOpen && (
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Check</Table.Th>
              <Table.Th className="numbers">Looked at</Table.Th>
              <Table.Th className="numbers">Findings</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {checks.map((check) => (
              <Table.Tr key={check.name}>
                <Table.Td className="breaks">{plainText(check.detail)}</Table.Td>
                <Table.Td className="numbers">{number.format(check.checked)}</Table.Td>
                <Table.Td className="numbers">{number.format(check.findings)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </>
  );
}
