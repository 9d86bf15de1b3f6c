import { Badge, Button, Card, Group, Select, SimpleGrid, Text, TextInput, Title } from '@mantine/core';
import { IconCheck, IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { Empty } from '../../parts/empty.js';
import { LongList } from '../../parts/long-list.js';
import { PageLink } from '../../parts/page-link.js';
import { Problem } from '../../parts/problem.js';
import { useOpen } from '../../parts/use-open.js';
import { When } from '../../parts/when.js';
import { type Version, versionQuery } from './policy.queries.js';
import { filesOf, found, type PolicyFile } from './settings.js';
import '../stories/stories.css';

interface Props {
  /** The version that is shown. */
  readonly version: number;
  readonly inForce: number | null;
  /** The versions that were read. */
  readonly all: readonly Version[];
  readonly onChoose: (version: number) => void;
}

export const contentHeading = 'policy-content';

/** What a policy says, file by file, with a search. */
export function Content({ version, inForce, all, onChoose }: Props) {
  const read = useQuery(versionQuery(version));
  const [sought, setSought] = useState('');
  const shown = read.data;
  const files = shown ? found(filesOf(shown.content), sought) : [];
  const versions = [...new Set([...all.map((known) => known.version), version])].sort((a, b) => b - a);
  return (
    <Card withBorder component="section" aria-labelledby={contentHeading}>
      <Group gap="xs">
        <Title order={2} size="h4" id={contentHeading} tabIndex={-1}>
          What policy {shown?.version ?? version} says
        </Title>
        {shown && shown.version === inForce && (
          <Badge color="green" variant="light" leftSection={<IconCheck size={12} aria-hidden />}>
            In force
          </Badge>
        )}
      </Group>
      {shown && (
        <Text size="sm" c="dimmed">
          {shown.by === 'console' ? 'Published by the first start' : `Published by ${shown.by}`},{' '}
          <When at={shown.publishedAt} />. Beside each setting is the name that it has in its file.
        </Text>
      )}
      <SimpleGrid cols={{ base: 1, xs: 2 }} my="sm">
        <Select
          label="Version"
          data={versions.map((value) => ({
            value: String(value),
            label: `Policy ${value}${value === inForce ? ', in force' : ''}`,
          }))}
          value={String(version)}
          allowDeselect={false}
          searchable={versions.length > 8}
          onChange={(value) => value !== null && onChoose(Number(value))}
        />
        <TextInput
          label="Find a setting"
          placeholder="A word, a value, a file"
          type="search"
          value={sought}
          onChange={(event) => setSought(event.currentTarget.value)}
          maxLength={200}
        />
      </SimpleGrid>
      {read.isError && <Problem error={read.error} again={() => void read.refetch()} />}
      {shown && (
        <>
          <div role="status" className="only-heard">
            {sought.trim() !== '' && `${files.length} files have this`}
          </div>
          {files.length === 0 ? (
            <Empty title="No setting has this">
              Write another word: a part of a setting's words or name, of its value, or of its file.
            </Empty>
          ) : (
            // Another version or search begins with other rows open.
            <LongList
              key={`${shown.version} ${sought.trim() === ''}`}
              label={`Files of policy ${shown.version}`}
              rows={files}
              keyOf={({ file }) => file}
              height={44}
              gap={4}
            >
              {(file) => <File file={file} open={sought.trim() !== ''} linked={shown.version === inForce} />}
            </LongList>
          )}
        </>
      )}
    </Card>
  );
}

interface FileProps {
  readonly file: PolicyFile;
  /** Whether it is open without a press, because a search has found what is in it. */
  readonly open: boolean;
  readonly linked: boolean;
}

function File({ file: { file, settings, page }, open: found, linked }: FileProps) {
  const [pressed, toggle] = useOpen(file);
  const id = useId();
  const open = pressed !== found;
  const Chevron = open ? IconChevronDown : IconChevronRight;
  return (
    <>
      <Button
        variant="default"
        size="compact-md"
        leftSection={<Chevron size={16} aria-hidden />}
        onClick={toggle}
        aria-expanded={open}
        aria-controls={id}
        className="left-label"
      >
        {file}
      </Button>
      <div id={id}>
        {open && (
          <>
            {linked && page !== undefined && (
              <Text size="sm" my="xs">
                <PageLink to={page.to}>{page.title}</PageLink> says the same in plain words.
              </Text>
            )}
            <dl className="settings">
              {settings.map(({ path, label, value }) => (
                <div key={path}>
                  <dt>
                    {label} {label !== path && <code>{path}</code>}
                  </dt>
                  <dd>{value}</dd>
                </div>
              ))}
            </dl>
          </>
        )}
      </div>
    </>
  );
}

/** Whether the content of this version is being read for the first time. */
export const isComing = ({ isPending, fetchStatus }: Pick<UseQueryResult, 'isPending' | 'fetchStatus'>): boolean =>
  isPending && fetchStatus !== 'idle';
