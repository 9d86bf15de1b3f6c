import { List, Loader, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconBan, IconCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { ApiProblem, answerOf, api } from '../../app/api.js';
import { capital } from '../../parts/capital.js';
import { problemText } from '../../parts/problem-text.js';
import { useNow } from '../../parts/use-now.js';
import { type Subjects, withoutIds } from './facts.js';
import { effectOf } from './verdict-words.js';

/** Where the verdict on a changed version is kept, by its payload. */
export const dryRunKey = ({ id, digest }: { readonly id: string; readonly digest: string }, payload: unknown) =>
  ['dry-run', id, digest, JSON.stringify(payload)] as const;

/** How long the person must pause typing before the rules are asked. */
const pauseMs = 400;

interface Props {
  readonly subjectId: string;
  readonly digest: string;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly subjects: Subjects;
}

/** What the rules would say about the changed version at this moment, while the person writes it. Asking reserves nothing. */
export function DryRun({ subjectId, digest, payload, subjects }: Props) {
  const text = JSON.stringify(payload);
  const [asked] = useDebouncedValue(text, pauseMs);
  const verdict = useQuery({
    queryKey: dryRunKey({ id: subjectId, digest }, JSON.parse(asked)),
    staleTime: 10_000,
    retry: false,
    // Only typing starts the request.
    refetchInterval: false,
    queryFn: () =>
      answerOf(
        api.POST('/v1/reviews/{subjectId}/dry-run', {
          params: { path: { subjectId } },
          body: { payload: JSON.parse(asked) as Record<string, unknown> },
        }),
      ),
  });
  return (
    <div className="dry-run" role="status">
      {asked !== text || verdict.isFetching ? (
        <Text size="sm">
          <Loader size="xs" mr="xs" /> Checking the change against the rules
        </Text>
      ) : verdict.isError ? (
        <Text size="sm">
          {verdict.error instanceof ApiProblem && verdict.error.status < 500 && verdict.error.status > 0
            ? problemText(verdict.error)
            : 'It is not known now whether the rules allow the change. You can send it all the same: it is judged then.'}
        </Text>
      ) : verdict.data?.judged === false ? (
        <Text size="sm">The rules have not answered in time. You can send it all the same: it is judged then.</Text>
      ) : (
        verdict.data?.judged && <Verdict {...verdict.data} subjects={subjects} />
      )}
    </div>
  );
}

interface VerdictProps {
  readonly outcome: 'approved' | 'refused';
  /** Null if the rules were not asked because the answer would be set aside. */
  readonly policy: object | null;
  readonly reasons: readonly { readonly rule: string; readonly detail: string }[];
  readonly subjects: Subjects;
}

function Verdict({ outcome, policy, reasons, subjects }: VerdictProps) {
  const now = useNow(60_000);
  return outcome === 'approved' ? (
    <Text size="sm">
      <IconCheck size={16} aria-hidden /> At this moment the rules would let it through.
    </Text>
  ) : effectOf({ outcome, policy }) === 'none' ? (
    <Text size="sm" fw={600}>
      <IconBan size={16} aria-hidden /> Your answer would have no effect:{' '}
      {reasons.map(({ detail }) => withoutIds(detail, subjects, now)).join('; ')}
    </Text>
  ) : (
    <>
      <Text size="sm" fw={600}>
        <IconBan size={16} aria-hidden /> At this moment it would be refused:
      </Text>
      <List size="sm">
        {reasons.map(({ rule, detail }) => (
          <List.Item key={rule + detail}>
            {capital(withoutIds(detail, subjects, now))} (rule {rule})
          </List.Item>
        ))}
      </List>
    </>
  );
}
