import { Button, Group, Modal, Stack, Text } from '@mantine/core';

interface Props {
  readonly loss: string;
  readonly onApprove: () => void;
  readonly onClose: () => void;
}

/** The second step of an approval that would have no good end at this moment. */
export const AllTheSame = ({ loss, onApprove, onClose }: Props) => (
  <Modal opened onClose={onClose} title="Approve it all the same?" closeButtonProps={{ 'aria-label': 'Close' }}>
    <Stack>
      <Text>{loss}</Text>
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose} data-autofocus>
          Do not approve it now
        </Button>
        <Button color="red" variant="outline" onClick={onApprove}>
          Yes, approve it
        </Button>
      </Group>
    </Stack>
  </Modal>
);
