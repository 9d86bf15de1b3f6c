import { Code, Stack, Text, Title } from '@mantine/core';
import { IconMinus, IconPlus } from '@tabler/icons-react';
import type { Difference } from './policy.queries.js';
import { labelOf, partOf } from './setting-labels.js';

/** How one policy differs from another: by file, each setting with its old and its new value. */
export function Differences({ differences }: { readonly differences: readonly Difference[] }) {
  const files = [...new Set(differences.map(({ file }) => file))];
  return (
    <Stack>
      {files.map((file) => (
        <div key={file}>
          <Title order={3} size="h5" className="words">
            {file}
          </Title>
          <ul className="rows">
            {differences
              .filter((difference) => difference.file === file)
              .map(({ path, before, after }) => (
                <li key={path}>
                  <Text size="sm" className="words">
                    <strong>
                      {path === '' ? (before === null ? 'This part is new' : 'This part is gone') : labelIn(file, path)}
                    </strong>{' '}
                    {path !== '' && labelIn(file, path) !== path && <code className="raw-name">{path}</code>}
                  </Text>
                  {before !== null && <Side sign="before" text={before} />}
                  {after !== null && <Side sign="after" text={after} />}
                </li>
              ))}
          </ul>
        </div>
      ))}
    </Stack>
  );
}

function labelIn(file: string, path: string): string {
  const part = partOf(file);
  return (part && labelOf(part, path)) ?? path;
}

const Side = ({ sign, text }: { readonly sign: 'before' | 'after'; readonly text: string }) => (
  <div className={`side ${sign}`}>
    <Text size="xs" fw={600}>
      {sign === 'before' ? <IconMinus size={12} aria-hidden /> : <IconPlus size={12} aria-hidden />} {sign}
    </Text>
    <Code block className="words side-text">
      {text}
    </Code>
  </div>
);
