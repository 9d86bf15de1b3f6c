import { useClipboard } from '@mantine/hooks';
import { IconCheck, IconCopy } from '@tabler/icons-react';

/**
 * An id: small, in monospace, with a button that copies the whole id. The button has the target size that WCAG 2.2 asks for. A list
 * has an id in each row, so it is made of plain elements.
 */
export function Id({ id, label = 'id' }: { readonly id: string; readonly label?: string }) {
  const { copied, copy } = useClipboard();
  const words = copied ? 'Copied' : `Copy the ${label}`;
  const Icon = copied ? IconCheck : IconCopy;
  return (
    <span className="id">
      <code title={id}>{id.length > 12 ? `${id.slice(0, 8)}…` : id}</code>
      <button type="button" title={words} aria-label={words} onClick={() => copy(id)}>
        <Icon size={14} aria-hidden />
      </button>
    </span>
  );
}
