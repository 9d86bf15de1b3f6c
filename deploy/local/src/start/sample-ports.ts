import { setTimeout as sleep } from 'node:timers/promises';
import { sha256, wholeText } from '@countersign/contracts';
import { kafkajs } from '@countersign/kafka';
import type { Act, Progress, Refusal, SamplePorts } from '@countersign/sample';
import type { Observed } from './observe.js';
import type { Running } from './running.js';

/** An answer to the sample. Another program may listen there. */
const textOf = ({ body }: Response): Promise<string> => wholeText(body, 1024 * 1024);

/** The sample's way into a running installation: the same HTTP and Kafka interfaces that anybody else has. */
export function samplePorts(
  running: Pick<Running, 'run' | 'kafka' | 'secrets'>,
  events: readonly Observed[],
  onProgress: (progress: Progress) => void,
): SamplePorts & { close(): Promise<void> } {
  const { run, secrets } = running;
  const client = new kafkajs.Kafka({
    clientId: 'sample',
    ...running.kafka('upstream'),
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const producer = client.producer({ allowAutoTopicCreation: false });
  let connected: Promise<void> | undefined;

  const post = async (
    service: string,
    path: string,
    body: unknown,
    headers: Record<string, string>,
    method = 'POST',
  ): Promise<Response> => {
    for (let attempt = 0; ; attempt++) {
      const answer = await fetch(`${run.http[service]}${path}`, {
        method,
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      });
      // 429: the broker is behind. 404: what is to be answered is on its topic, the console has not read it yet.
      if ((answer.status !== 429 && answer.status !== 404) || attempt >= 20) return answer;
      await sleep(1_000 * Number(answer.headers.get('retry-after') ?? 0.5));
    }
  };
  const asPerson = (idempotencyKey: string): Record<string, string> => ({
    authorization: `Bearer ${secrets.consoleToken}`,
    'idempotency-key': idempotencyKey,
  });
  const asSandbox = { authorization: `Bearer ${secrets.sandboxToken}` };
  const must = async (answer: Response, what: string): Promise<void> => {
    if (!answer.ok) throw new Error(`${what}: ${answer.status} ${(await textOf(answer)).slice(0, 500)}`);
    await textOf(answer);
  };

  return {
    events: () => events,
    onProgress,
    publish: async (source, signals) => {
      if (source === 'upstream') {
        connected ??= producer.connect();
        await connected;
        await producer.send({
          topic: 'signals.inbound.upstream.v1',
          acks: -1,
          messages: signals.map((s) => ({
            key: s.id,
            value: JSON.stringify(s),
            headers: { 'content-type': 'application/cloudevents+json' },
          })),
        });
        return [];
      }
      const headers = {
        authorization: `Bearer ${secrets.apiKeys[source]}`,
        'content-type': 'application/cloudevents-batch+json',
      };
      const answer = await post('signal-ingestion', '/v1/signals', signals, headers);
      if (answer.status !== 400 || signals.length > 1) {
        await must(answer, `publishing ${signals.length} signals of ${source}`);
        return [];
      }
      const problem = JSON.parse(await textOf(answer)) as { field?: string; errors?: { field?: string }[] };
      const field = problem.field ?? problem.errors?.[0]?.field;
      return [
        { id: signals[0]?.id ?? '', status: answer.status, ...(field !== undefined && { field }) } satisfies Refusal,
      ];
    },
    act: (act) => carryOut(act),
    close: async () => {
      if (connected) await producer.disconnect();
    },
  };

  async function carryOut(act: Act): Promise<void> {
    switch (act.kind) {
      case 'stop':
      case 'resume': {
        const body = { scope: act.scope, state: act.kind === 'stop' ? 'stopped' : 'running', reason: act.reason };
        return must(
          await post(
            'console',
            '/v1/controls',
            body,
            asPerson(sha256(`${running.run.startedAt} ${JSON.stringify(body)}`)),
          ),
          `${act.kind} ${act.scope}`,
        );
      }
      case 'review': {
        const { subjectId, digest, decision, payload, note } = act;
        const body = { decision, digest, note, ...(payload && { payload }) };
        return must(
          await post(
            'console',
            `/v1/reviews/${subjectId}`,
            body,
            asPerson(sha256(JSON.stringify({ subjectId, ...body }))),
          ),
          `review of ${subjectId}`,
        );
      }
      case 'campaigns':
        for (const { campaignId, adAccountId, dailyBudgetMinor, bidMinor, currency } of act.campaigns) {
          const path = `/ads/campaigns/${encodeURIComponent(campaignId)}`;
          const campaign = { adAccountId, status: 'active', dailyBudgetMinor, bidMinor, currency };
          await must(await post('sandbox-systems', path, campaign, asSandbox, 'PUT'), `campaign ${campaignId}`);
        }
    }
  }
}
