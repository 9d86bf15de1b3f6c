import { Stack, Text, Title } from '@mantine/core';
import { Command } from '../../parts/command.js';

const commands = [
  {
    command: 'npx countersign verify --published',
    does: 'verifies every entry, and compares with every checkpoint on Kafka, which a change of the database cannot reach',
  },
  {
    command: 'npx countersign export -o record.ndjson --purpose "yearly audit"',
    does: 'saves the whole record, of any size',
  },
  {
    command: 'npx countersign verify --export record.ndjson',
    does: 'verifies a saved record on any machine, without a connection',
  },
] as const;

/** The commands that do the same as the page, and more. */
export function Commands({ origin }: { readonly origin: string | undefined }) {
  return (
    <Stack gap="sm">
      <Title order={2} size="h4">
        On the command line
      </Title>
      <Text size="sm">
        A command needs no browser to hold the record{origin === undefined ? '' : ` ${origin}`}, and another computer is
        a second opinion.
      </Text>
      <ul className="command-list">
        {commands.map(({ command, does }) => (
          <li key={command}>
            <Command command={command} />
            <Text size="sm" c="dimmed">
              {does}
            </Text>
          </li>
        ))}
      </ul>
    </Stack>
  );
}
