import { ActionIcon, Code, CopyButton, Group, Stack, Text, Title, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';

const commands = [
  {
    command: 'npx countersign verify',
    does: 'reads the whole record and checks every entry, every event that is kept, and every checkpoint',
  },
  {
    command: 'npx countersign verify --published',
    does: 'the same, and compares with every checkpoint on Kafka, which a change of the database cannot reach',
  },
  {
    command: 'npx countersign export -o record.ndjson',
    does: 'saves the whole record, to keep it or to verify it elsewhere',
  },
  {
    command: 'npx countersign verify --export record.ndjson',
    does: 'verifies a saved record on any machine, without a connection',
  },
  {
    command: 'npx countersign audit invariants',
    does: 'compares topics, record and connected systems with every promise: nothing ran without a permit, nothing twice',
  },
  { command: 'npx countersign probe', does: 'tries every known way around the guardrails, and says which were closed' },
] as const;

/** What needs more than a browser has: the whole record, the broker, or the connected systems. */
export function Commands({ origin }: { readonly origin: string | undefined }) {
  return (
    <Stack gap="sm">
      <Title order={2} size="h4">
        On the command line
      </Title>
      <Text size="sm">
        These read the whole record{origin === undefined ? '' : ` ${origin}`}, the topics or the connected systems. A
        browser may not, so this page cannot do them. They need the role auditor, and show how far they are.
      </Text>
      <ul className="command-list">
        {commands.map(({ command, does }) => (
          <li key={command}>
            <Group gap={4} wrap="nowrap">
              <Code className="any-break">{command}</Code>
              <CopyButton value={command}>
                {({ copied, copy }) => (
                  <Tooltip label={copied ? 'Copied' : 'Copy the command'}>
                    <ActionIcon variant="subtle" color="gray" onClick={copy} aria-label={`Copy ${command}`}>
                      {copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
                    </ActionIcon>
                  </Tooltip>
                )}
              </CopyButton>
            </Group>
            <Text size="sm" c="dimmed">
              {does}
            </Text>
          </li>
        ))}
      </ul>
    </Stack>
  );
}
