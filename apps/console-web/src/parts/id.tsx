import { ActionIcon, Code, CopyButton, Group, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';

/** An id: small, in monospace, with a button that copies the whole id. The button has the target size that WCAG 2.2 asks for. */
export const Id = ({ id, label = 'id' }: { readonly id: string; readonly label?: string }) => (
  <Group gap={4} wrap="nowrap" display="inline-flex">
    <Code title={id}>{id.length > 12 ? `${id.slice(0, 8)}…` : id}</Code>
    <CopyButton value={id}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? 'Copied' : `Copy the ${label}`}>
          <ActionIcon size={24} variant="subtle" color="gray" onClick={copy} aria-label={`Copy the ${label}`}>
            {copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  </Group>
);
