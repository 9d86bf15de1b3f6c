import { Alert, Button, List, Paper, Progress, Stack, Text, Title } from '@mantine/core';
import { IconShieldCheck, IconShieldQuestion, IconShieldX } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import { type ConsistencyChecked, checkCheckpoint, noRecordPlace } from './proof/record.js';
import { spread } from './spread.js';

const number = new Intl.NumberFormat();
/** The record answers 20 questions a second, and more checkpoints would show nothing more. */
const mostChecked = 40;

interface Checkpoint {
  readonly size: number;
  readonly note: string;
}
interface Props {
  readonly record: { readonly url: string | null; readonly key: string | null };
  readonly checkpoints: readonly Checkpoint[];
}
interface Result {
  readonly size: number;
  readonly checked: ConsistencyChecked;
}

/** Checks in this browser that the record still begins with the entries that the earlier checkpoints signed. */
export function Verify({ record: { url, key }, checkpoints }: Props) {
  const [total, setTotal] = useState(0);
  const [results, setResults] = useState<readonly Result[]>([]);
  const running = useRef(false);
  const [busy, setBusy] = useState(false);
  const verify = async () => {
    if (url === null || key === null || running.current) return;
    running.current = true;
    setBusy(true);
    setResults([]);
    const chosen = spread(checkpoints, mostChecked);
    setTotal(chosen.length);
    const found: Result[] = [];
    for (const { size, note } of chosen) {
      const checked = await checkCheckpoint(note, { url, key });
      found.push({ size, checked });
      setResults([...found]);
      // If the record did not answer this question, it will not answer the next one.
      if (checked.state === 'unreachable' || checked.state === 'cannot-check') break;
    }
    running.current = false;
    setBusy(false);
  };
  const usable = url !== null && key !== null;
  return (
    <Paper withBorder p="md" component="section" aria-labelledby="verify-here">
      <Stack gap="sm" align="flex-start">
        <Title order={2} size="h4" id="verify-here">
          Verify here
        </Title>
        <Text size="sm">
          This browser takes up to {mostChecked} of the checkpoints that the console has seen, checks their signatures,
          and has the record prove that its entries of today begin with exactly what each of them signed. It reads no
          entry itself.
        </Text>
        <Button onClick={() => void verify()} loading={busy} disabled={!usable || checkpoints.length === 0}>
          Verify now
        </Button>
        {!usable && <Text size="sm">{noRecordPlace}</Text>}
        {total > 0 && (
          <>
            <Progress w="100%" value={(results.length / total) * 100} aria-label="Checkpoints verified" />
            <div role="status">
              {busy ? `${results.length} of ${total} checkpoints` : <Outcome results={results} />}
            </div>
          </>
        )}
      </Stack>
    </Paper>
  );
}

function Outcome({ results }: { readonly results: readonly Result[] }) {
  const wrong = results.filter(({ checked }) => checked.state === 'wrong');
  const stopped = results.find(({ checked }) => checked.state === 'unreachable' || checked.state === 'cannot-check');
  const good = results.filter(({ checked }) => checked.state === 'consistent');
  const last = good.at(-1)?.checked;
  if (wrong.length > 0)
    return (
      <Alert
        className="plain-alert"
        color="red"
        icon={<IconShieldX aria-hidden />}
        title="The record does not hold what it signed"
      >
        <List size="sm">
          {wrong.map(({ size, checked }) => (
            <List.Item key={size}>
              {number.format(size)} entries: {'detail' in checked && checked.detail}
            </List.Item>
          ))}
        </List>
        <Text size="sm">Keep the database as it is, run countersign verify, and tell an auditor.</Text>
      </Alert>
    );
  if (stopped)
    return (
      <Alert className="plain-alert" color="yellow" icon={<IconShieldQuestion aria-hidden />} title="Not verified">
        {'detail' in stopped.checked && stopped.checked.detail}
      </Alert>
    );
  return (
    <Alert
      className="plain-alert"
      color="green"
      icon={<IconShieldCheck aria-hidden />}
      title={`${good.length} checkpoints verified`}
    >
      The record of {last?.state === 'consistent' ? number.format(last.to) : 'today'} entries begins with what each of
      these checkpoints signed. Nothing of it was changed or taken out since.
    </Alert>
  );
}
