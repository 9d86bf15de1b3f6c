import { Anchor, Stack, Text, Title } from '@mantine/core';

export const NotFound = () => (
  <Stack p="xl" align="flex-start" component="main">
    <title>No such page · Countersign</title>
    <Title order={1} size="h3">
      There is no such page
    </Title>
    <Text>The address is not one of the console's. The link may be old or cut off.</Text>
    <Anchor href="/">Go to the first page</Anchor>
  </Stack>
);
