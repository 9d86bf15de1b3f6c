import { ActionIcon, Code, CopyButton, Group, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';

/** A command to type, with a button that copies it. */
export const Command = ({ command }: { readonly command: string }) => (
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
);
