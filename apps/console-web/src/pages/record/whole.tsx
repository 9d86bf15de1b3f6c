import { Alert, Button, Group, List, Paper, Progress, Stack, Text, Title } from '@mantine/core';
import { IconShieldCheck, IconShieldQuestion, IconShieldX } from '@tabler/icons-react';
import { useState } from 'react';
import { time } from '../../app/console-time.js';
import { fresh } from '../../app/queries.js';
import { useMay } from '../../app/session.js';
import { full } from '../../parts/times.js';
import { useSeen } from '../../parts/use-seen.js';
import type { PassUse } from './pass.js';
import { PassDialog } from './pass-dialog.js';
import type { Progress as Read } from './proof/download.js';
import { noRecordPlace } from './proof/record.js';
import type { WholeReport } from './proof/whole.js';
import { spreadCheckpoints } from './record.queries.js';
import { saveAs } from './save.js';
import { type Compared, comparedWith } from './spread.js';
import { useWhole } from './use-whole.js';
import type { Outcome } from './whole.worker.js';

const number = new Intl.NumberFormat();
const inMegabytes = (bytes: number): string =>
  `${new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 }).format(bytes / 1_000_000)} MB`;
const counted = (n: number, singular: string, plural: string): string =>
  `${number.format(n)} ${n === 1 ? singular : plural}`;

interface Props {
  readonly record: { readonly url: string | null; readonly key: string | null };
  /** The latest checkpoints that the console has seen. A check also compares with older ones. */
  readonly checkpoints: readonly { readonly note: string; readonly at: string }[];
}

/** Verifies and exports the whole record in this browser, for an auditor who gives a reason. */
export function Whole({ record, checkpoints }: Props) {
  const { url, key } = record;
  const seen = useSeen(record, `${url} ${key}`);
  const mayRead = useMay('auditor');
  const [asking, setAsking] = useState<PassUse>();
  const { standing, begin, cancel } = useWhole();
  const usable = url !== null && key !== null;
  const isRunning = standing.state === 'running';
  const fileName = `record-${new Date(time.now()).toISOString().slice(0, 10)}.ndjson`;
  return (
    <Paper withBorder p="md" component="section" aria-labelledby="whole-record">
      <Stack gap="sm" align="flex-start">
        <Title order={2} size="h4" id="whole-record">
          The whole record
        </Title>
        <Text size="sm">
          This browser downloads every entry, computes every hash itself, and compares them with every checkpoint in the
          record and with checkpoints that this console has kept, from the oldest to the newest.
          {mayRead
            ? ' You say what it is for, and the record keeps that.'
            : ' Only an auditor may do this: ask one, or ask an operator for the role.'}
        </Text>
        {!usable && <Text size="sm">{noRecordPlace}</Text>}
        {mayRead && (
          <Group>
            <Button disabled={!usable || isRunning} onClick={() => setAsking('verify')}>
              Verify every entry
            </Button>
            <Button variant="default" disabled={!usable || isRunning} onClick={() => setAsking('export')}>
              Export the record
            </Button>
            {isRunning && (
              <Button variant="subtle" color="gray" onClick={cancel}>
                Stop
              </Button>
            )}
          </Group>
        )}
        {standing.state === 'running' && <Running progress={standing.progress} />}
        {standing.state === 'done' && (
          <>
            <Result report={standing.outcome.report} bytes={standing.outcome.bytes} compared={standing.compared} />
            <Saved file={standing.outcome.file} name={fileName} />
          </>
        )}
        {standing.state === 'failed' && (
          <Alert
            w="100%"
            className="plain-alert"
            color="yellow"
            icon={<IconShieldQuestion aria-hidden />}
            title={standing.title}
            role="alert"
          >
            {standing.detail}
          </Alert>
        )}
      </Stack>
      {asking !== undefined && usable && (
        <PassDialog
          use={asking}
          fileName={fileName}
          seen={seen}
          onClose={() => setAsking(undefined)}
          onBegin={(secret, chosen) => {
            setAsking(undefined);
            begin({ record: { url, key }, secret }, chosen ?? 'nothing', async () =>
              comparedWith([...checkpoints, ...(await spreadCheckpoints()).checkpoints]),
            );
            void fresh.now({ queryKey: ['record', 'passes'] });
          }}
        />
      )}
    </Paper>
  );
}

function Running({ progress }: { readonly progress: Read | undefined }) {
  const { entries = 0, total, bytes = 0 } = progress ?? {};
  const part = total ? Math.min(1, entries / total) : 0;
  return (
    <>
      <Progress w="100%" value={part * 100} aria-label="Entries verified" />
      <Text size="sm">
        {progress === undefined
          ? 'Waiting for the record to take the request…'
          : `${number.format(entries)} of ${total === undefined ? 'an unknown number of' : number.format(total)} entries, ${inMegabytes(bytes)}`}
      </Text>
    </>
  );
}

const mostShown = 20;

interface ResultProps {
  readonly report: WholeReport;
  readonly bytes: number;
  readonly compared: Compared;
}

function Result({ report, bytes, compared: { notes, oldest } }: ResultProps) {
  const { ok, size, confirmed, checkpointsChecked, eventsChecked, commitmentsChecked, problemCount, problems } = report;
  if (!ok)
    return (
      <Alert
        w="100%"
        className="plain-alert"
        color="red"
        icon={<IconShieldX aria-hidden />}
        title={`The record is not whole: ${counted(problemCount, 'problem', 'problems')}`}
        role="alert"
      >
        <List size="sm" aria-label="Problems">
          {problems.slice(0, mostShown).map(({ kind, leaf, detail }, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: they never change, and two may have the same words
            <List.Item key={place} className="breaks">
              {leaf === undefined ? '' : `Entry ${number.format(leaf)}: `}
              {detail} ({kind})
            </List.Item>
          ))}
        </List>
        {problemCount > mostShown && <Text size="sm">And {number.format(problemCount - mostShown)} more.</Text>}
        <Text size="sm" mt="xs">
          Checked {number.format(size)} entries. Keep the database and every copy as they are. Run{' '}
          <code>npx countersign verify --published</code> on another computer, which compares with the checkpoints on
          Kafka, and tell whoever is responsible for the record.
        </Text>
      </Alert>
    );
  return (
    <Alert
      w="100%"
      className="plain-alert"
      color="green"
      icon={<IconShieldCheck aria-hidden />}
      title={`The record is whole: ${counted(size, 'entry', 'entries')}`}
      role="status"
    >
      {counted(eventsChecked - commitmentsChecked, 'event', 'events')} compared byte by byte,{' '}
      {counted(checkpointsChecked, 'checkpoint', 'checkpoints')} verified, {inMegabytes(bytes)} read.{' '}
      {commitmentsChecked > 0 &&
        `${counted(commitmentsChecked, 'entry holds', 'entries hold')} a commitment to an event that is not stored. `}
      {size > confirmed
        ? `The last ${number.format(size - confirmed)} came after the last checkpoint in it: the next one signs them.`
        : 'A checkpoint signs all entries.'}{' '}
      The record was compared with {counted(notes.length, 'checkpoint', 'checkpoints')} that this console has kept
      {oldest !== undefined && `, the oldest of ${full(oldest)}`}.
    </Alert>
  );
}

function Saved({ file, name }: { readonly file: Extract<Outcome, { kind: 'done' }>['file']; readonly name: string }) {
  if (file === null) return null;
  if (file === 'written') return <Text size="sm">The file that you chose has the whole export.</Text>;
  if (file === 'too-large')
    return (
      <Text size="sm">
        The export is too large for this browser to hold. Use a browser that writes files itself, such as Chrome or Edge
        on a computer, or <code>npx countersign export -o record.ndjson</code>.
      </Text>
    );
  return (
    <Group>
      <Button variant="default" onClick={() => saveAs(file, name)}>
        Save the file ({inMegabytes(file.size)})
      </Button>
    </Group>
  );
}
