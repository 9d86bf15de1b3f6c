import { Button, Group, Stack } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { answerOf, api } from '../../app/api.js';
import { Problem } from '../../parts/problem.js';
import { saveAs } from '../record/save.js';

type Format = 'html' | 'markdown';
const files: Readonly<Record<Format, { readonly type: string; readonly ending: string }>> = {
  html: { type: 'text/html', ending: 'html' },
  markdown: { type: 'text/markdown', ending: 'md' },
};

/** What the agent can and cannot do, as a file for colleagues. It is made when it is asked for, never from what this page shows. */
export function CharterDocument({ agent }: { readonly agent: string }) {
  const download = useMutation({
    mutationFn: async (format: Format) => {
      const { document } = await answerOf(
        api.GET('/v1/agents/{agent}/charter', { params: { path: { agent }, query: { format } } }),
      );
      const { type, ending } = files[format];
      saveAs(new Blob([document], { type: `${type};charset=utf-8` }), `${agent}.${ending}`);
    },
  });
  return (
    <Stack gap="xs" mb="xs">
      <Group gap="xs">
        <Button
          size="xs"
          variant="default"
          loading={download.isPending && download.variables === 'html'}
          onClick={() => download.mutate('html')}
        >
          Download it to read or print
        </Button>
        <Button
          size="xs"
          variant="default"
          loading={download.isPending && download.variables === 'markdown'}
          onClick={() => download.mutate('markdown')}
        >
          Download it as Markdown
        </Button>
      </Group>
      {download.isError && <Problem error={download.error} />}
    </Stack>
  );
}
