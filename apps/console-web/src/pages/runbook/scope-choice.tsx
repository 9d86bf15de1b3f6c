import { Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Problem } from '../../parts/problem.js';
import { nowQuery } from '../now/now.queries.js';

/** Everything, or one agent or play of the policy in force. */
export function ScopeChoice({
  scope,
  onChange,
}: {
  readonly scope: string;
  readonly onChange: (scope: string) => void;
}) {
  const now = useQuery(nowQuery);
  return (
    <>
      <Select
        label="What to stop"
        data={[
          { value: 'all', label: 'Everything' },
          {
            group: 'One agent',
            items: (now.data?.agents ?? []).map((name) => ({ value: `agent:${name}`, label: name })),
          },
          {
            group: 'One play',
            items: (now.data?.playTitles ?? []).map(({ id, title }) => ({ value: `play:${id}`, label: title })),
          },
          {
            group: 'One channel',
            items: ['email', 'advertising', 'crm'].map((name) => ({ value: `channel:${name}`, label: name })),
          },
        ]}
        value={scope}
        allowDeselect={false}
        onChange={(value) => onChange(value ?? 'all')}
        maw={400}
      />
      {now.isError && <Problem error={now.error} again={() => void now.refetch()} />}
    </>
  );
}

/** The title of the play in a scope; null if it is not known, or if the scope is of something else. */
export function useScopeName(scope: string): string | null {
  const now = useQuery(nowQuery);
  return now.data?.playTitles.find(({ id }) => scope === `play:${id}`)?.title ?? null;
}

/** The options for a scope on the command line. */
export function scopeOption(scope: string): string {
  const colon = scope.indexOf(':');
  return colon < 0 ? '--all' : `--${scope.slice(0, colon)} ${scope.slice(colon + 1)}`;
}
