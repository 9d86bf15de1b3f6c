import { List, Text } from '@mantine/core';
import { ScopeName } from '../../parts/scope-name.js';
import { serviceWords } from '../../parts/services.js';
import { When } from '../../parts/when.js';
import type { Now } from './now.queries.js';

/** The stops that were lifted in the last days, folded: by whom, when, why, and whether every service applies it. */
export function Lifted({ lifted }: { readonly lifted: Now['lifted'] }) {
  if (lifted.length === 0) return null;
  const open = lifted.filter(({ confirmed }) => !confirmed).length;
  return (
    <details>
      <summary>Lifted lately{open > 0 && `: ${open.toLocaleString()} of them not confirmed by every service`}</summary>
      <List listStyleType="none" spacing="xs" mt="xs">
        {lifted.map(({ scope, name, reason, by, changedAt, confirmed, notConfirmedBy }) => (
          <List.Item key={scope}>
            <Text>
              <ScopeName named={{ scope, name }} first /> runs again: {reason}
            </Text>
            <Text size="sm" c="dimmed">
              By {by}, <When at={changedAt} />.{' '}
              {confirmed
                ? 'Every service has confirmed it.'
                : `Not confirmed by ${notConfirmedBy.map(serviceWords).join(' and ')}: it may still be stopped there.`}
            </Text>
          </List.Item>
        ))}
      </List>
      <Text size="sm" c="dimmed" mt="xs">
        The latest of the last seven days. All of them: countersign controls --lifted
      </Text>
    </details>
  );
}
