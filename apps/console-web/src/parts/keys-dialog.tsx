import { Kbd, Modal, Table } from '@mantine/core';
import { keysEverywhere, keysOfReviews } from '../app/keys.js';
import { useMay } from '../app/session.js';

/** What the keys do on this page. */
export function KeysDialog({ onClose }: { readonly onClose: () => void }) {
  const may = { operator: useMay('operator'), reviewer: useMay('reviewer') };
  const keys = [...keysOfReviews, ...keysEverywhere].filter(({ role }) => role === undefined || may[role]);
  return (
    <Modal opened onClose={onClose} title="Keyboard shortcuts" closeButtonProps={{ 'aria-label': 'Close' }}>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Key</Table.Th>
            <Table.Th>What it does</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {keys.map(({ key, does }) => (
            <Table.Tr key={key}>
              <Table.Td>
                <Kbd>{key}</Kbd>
              </Table.Td>
              <Table.Td>{does}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}
