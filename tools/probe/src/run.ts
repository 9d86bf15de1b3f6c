import { createPublicKey, generateKeyPairSync, type JsonWebKey, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, type OnProgress, type Session } from '@countersign/client';
import { anotherThan, publisherOf } from '@countersign/client/core';
import {
  type ActionApproved,
  type ActionProposed,
  actionKey,
  type Deployment,
  type Event,
  type EventType,
  type Policy,
  sourceOf,
  type TaskAssigned,
  taskGraceMs,
  topics,
} from '@countersign/contracts';
import { readSigningKey, type SigningKey } from '@countersign/gate';
import { bids, type Forged, forgedBid } from './forge.js';
import {
  campaignOf,
  firstSteps,
  type Part,
  partFor,
  probeAccountOf,
  proposedBid,
  proposedEnrolment,
  proposedMessage,
  taskOf,
  zoneFor,
} from './ground.js';
import { account, campaign, contact, type Known, type Publisher, sandboxes, withdrawal } from './installed.js';
import { type Found, judgeProbe, type ProbeReport, type Seen } from './judge.js';
import { type Attempt, type AttemptId, attempts } from './plan.js';
import type { Heard, Sent, Wire } from './wire.js';

export interface ProbeWith {
  readonly policy: Policy;
  readonly deployment: Deployment;
  /** The installation's public keys, a JWKS. */
  readonly permitKeys: { readonly keys: readonly JsonWebKey[] };
  readonly signingKey: SigningKey | undefined;
  /** How far ahead messages are planned. In this time something happens to an outstanding permit. */
  readonly leadMs: number;
  readonly patienceMs: number;
  readonly onProgress?: OnProgress;
}

/** Why an attempt could not be made. It is not a fault of the gate. */
class NotTried extends Error {}
/** The gate held the honest action up. Whether it would hold the bad one up for the right reason is then not known. */
class NotMeasured extends NotTried {}

type Record = Found['record'];
/** What came of an attempt, but for what the sandboxes show at the end. */
interface Came {
  readonly record: Record;
  readonly twin: ActionApproved;
  /** Contacts of messages: that of the bad one, where it is another than the twin's. */
  readonly badContact?: string;
  readonly twinContact?: string;
}

const hour = 3_600_000;
/** Bytes: no topic of the installation takes a record of so many. */
const aboveAnyTopic = 2_000_000;

/** Makes every attempt and its honest twin, side by side; then looks at what ran. */
export async function probe(s: Session, wire: Wire, using: ProbeWith): Promise<ProbeReport> {
  const { policy, deployment, permitKeys, signingKey, leadMs, patienceMs, onProgress } = using;
  const run = randomUUID().slice(0, 8);
  const sandbox = sandboxes(s);
  const from: Publisher = { wire, source: publisherOf(deployment) };
  const timeZone = zoneFor(policy, s.now(), leadMs + 2 * patienceMs);
  const parts = { bid: partFor('bid', policy), message: partFor('message', policy) };
  const forging = {
    own: ownKey(),
    publicKey: createPublicKey({ key: permitKeys.keys[0] as JsonWebKey, format: 'jwk' }),
    ...(signingKey && { validator: signingKey }),
  };

  const write = <T extends EventType>(
    as: string,
    topic: string,
    key: string,
    type: T,
    data: unknown,
    id: string = randomUUID(),
  ) => wire.send(as, topic, key, { id, source: sourceOf(as), type, time: s.now(), data } as Event);
  const rewrite = (approval: Forged, id?: string): Promise<Sent> =>
    write('guardrail-validator', 'actions.approved.v1', actionKey(approval.action), 'ActionApproved', approval, id);

  const assign = (task: TaskAssigned): Promise<Sent> =>
    write('orchestrator', 'tasks.assigned.v1', task.accountId ?? task.taskId, 'TaskAssigned', task);
  /** Proposes as the agent, and waits for the validator's verdict. */
  const verdictOn = async (proposal: ActionProposed) => {
    const topic = topics.actionsProposed(proposal.agent).name;
    await write(proposal.agent, topic, actionKey(proposal.action), 'ActionProposed', proposal);
    // If another agent writes under this id, it gets the answer in its own name.
    const matches = ({ proposalId, agent }: { proposalId: string; agent: string }): boolean =>
      proposalId === proposal.proposalId && agent === proposal.agent;
    return wire.until(
      () =>
        wire.eventsOf('ActionApproved', matches)[0] ??
        wire.eventsOf('ActionRefused', matches)[0] ??
        wire.eventsOf('ActionEscalated', matches)[0],
      patienceMs,
    );
  };
  /** Proposes under a task of its own, and waits for the approval. */
  const approved = async (proposal: ActionProposed, task = taskOf(proposal)): Promise<Heard<'ActionApproved'>> => {
    await assign(task);
    const verdict = await verdictOn(proposal);
    if (!verdict) throw new NotTried('the validator gave the honest action no verdict');
    if (verdict.event.type === 'ActionApproved') return verdict as Heard<'ActionApproved'>;
    const { outcome, reasons } = verdict.event.data.verdict;
    const { rule, detail = '' } = reasons.find((r) => r.outcome !== 'pass') ?? {};
    const refused = reasons.find((r) => r.outcome === 'refuse');
    if (refused) throw new NotMeasured(`the honest action was refused by ${refused.rule}: ${refused.detail}`);
    throw new NotTried(`the honest action was ${outcome}${rule === undefined ? '' : ` by ${rule}`}: ${detail}`);
  };
  const settlements = (approval: Pick<ActionApproved, 'permitId' | 'executor'>) =>
    wire.eventsOf('ActionSettled', (d) => d.permitId === approval.permitId && d.executor === approval.executor);
  const settlement = (approval: ActionApproved, ms = patienceMs) =>
    wire.until(() => settlements(approval)[0]?.event.data, ms);

  /** What is on record of a record that was written. */
  const recordOf = async (sent: Sent, bad: Forged, honest: ActionApproved): Promise<Record> => {
    if ('refused' in sent) return { as: 'broker', code: sent.refused };
    const here = (d: { topic: string; partition: number; offset: string }): boolean =>
      d.topic === sent.topic && d.partition === sent.partition && d.offset === sent.offset;
    const found = await wire.until((): Record | undefined => {
      const rejected = wire.eventsOf('PermitRejected', here)[0]?.event.data;
      if (rejected) return { as: 'rejected', code: rejected.reason.code };
      const letter = wire.eventsOf('DeadLetter', (d) => here(d) && d.service === honest.executor)[0]?.event.data;
      if (letter) return { as: 'dead-letter', code: letter.fault.code };
      const settled = bad.permitId === honest.permitId ? undefined : settlements(bad)[0]?.event.data;
      return settled && asRecord(settled);
    }, patienceMs);
    return found ?? null;
  };

  /** Proposes under a task that is not the proposal's own; what is said of it. */
  const underForeignTask = async (id: AttemptId, proposal: ActionProposed): Promise<Record> => {
    const task = foreignTask(id, proposal, anotherThan(proposal.agent, deployment.agents));
    if (task) await assign(task);
    return refusalOf(await verdictOn(proposal));
  };
  /** Another agent, in its own name, under the id that this proposal will have. */
  const underForeignId = async (proposal: ActionProposed): Promise<Record> => {
    const chartered = deployment.agents.filter((agent) => policy.content.charters.some((c) => c.agent === agent));
    const other = anotherThan(proposal.agent, chartered);
    if (!other) throw new NotTried('there is no other agent with a charter');
    return refusalOf(await verdictOn({ ...proposal, agent: other }));
  };
  const refusalOf = (verdict: Awaited<ReturnType<typeof verdictOn>>): Record => {
    if (!verdict) return null;
    const { outcome, reasons } = verdict.event.data.verdict;
    if (outcome === 'approved') return { as: 'executed' };
    return { as: 'refused', code: reasons.find((r) => r.outcome === 'refuse')?.rule ?? outcome };
  };

  const bid = async (attempt: Attempt, part: Part): Promise<Came> => {
    const campaignId = campaignOf(run, attempt);
    await sandbox.putCampaign(campaignId, run, part.currency);
    const { madeFrom } = await campaign(from, patienceMs, run, campaignId, part.currency);
    const base = { run, part, name: attempt.id, at: s.now(), madeFrom };
    const foreignId =
      attempt.id === 'id-of-another-agent' && (await underForeignId(proposedBid(base, attempt, bids.bad)));
    const { event } = await approved(proposedBid(base, attempt));
    const twin = event.data;
    // The honest one has its turn first, so that what comes after it is a second or an altered one, and not a first.
    await settlement(twin);
    if (foreignId !== false) return { twin, record: foreignId };
    if (attempt.expected.as === 'refused') {
      const bad = proposedBid({ ...base, name: `${attempt.id}-bad`, at: s.now() }, attempt, bids.bad);
      return { twin, record: await underForeignTask(attempt.id, bad) };
    }
    const forbidden = forbiddenWrite(attempt.id, part.agent, anotherThan(part.agent, deployment.agents));
    if (forbidden) {
      const { topic, type, data } = forbidden(twin);
      const sent = await write(part.agent, topic, twin.actionId, type, data);
      return { twin, record: 'refused' in sent ? { as: 'broker', code: sent.refused } : null };
    }
    const bad = forgedBid(attempt.id, twin, { ...forging, at: s.now() });
    if (!bad) throw new NotTried('needs the signing key');
    const sent = await rewrite(bad, attempt.id === 'id-reused' ? event.id : undefined);
    return { twin, record: await recordOf(sent, bad, twin) };
  };

  /** A message to somebody new of an account of their own, approved and not yet due. */
  const message = async (name: string, part: Part, inMs: number) => {
    const accountId = probeAccountOf(run, name);
    await account(from, patienceMs, run, accountId);
    const known: Known = await contact(from, patienceMs, run, name, { accountId, timeZone });
    if (!known.contactId) throw new NotTried('ingestion named no contact');
    const base = { run, part, name, at: s.now(), madeFrom: known.madeFrom };
    const sendAt = new Date(Date.now() + inMs).toISOString();
    const to = { contactId: known.contactId, sendAt, accountId, like: firstSteps(policy).own };
    return { approval: (await approved(proposedMessage(base, to))).event.data, contactId: known.contactId };
  };

  /** A message that the task of its honest twin does not allow, to somebody else of the same account. */
  const besideTwin = async ({ id }: Attempt, part: Part): Promise<Came> => {
    const { own, other } = firstSteps(policy);
    const step = id === 'task-of-another-contact' ? undefined : own;
    if (id !== 'task-of-another-contact' && !own) throw new NotTried('there is no sequence for sales');
    if (id === 'task-of-another-sequence' && !other) throw new NotTried('there are no two sequences, one for sales');
    const accountId = probeAccountOf(run, id);
    await account(from, patienceMs, run, accountId);
    const known = await Promise.all(
      [id, `${id}-bad`].map((name) => contact(from, patienceMs, run, name, { accountId, timeZone })),
    );
    const [twinContact, badContact] = known.map(({ contactId }) => contactId);
    if (!twinContact || !badContact) throw new NotTried('ingestion named no contact');
    const madeFrom = Object.assign({}, ...known.map((contact) => contact.madeFrom)) as Known['madeFrom'];
    const base = { run, part, name: id, at: s.now(), madeFrom };
    const to = { accountId, sendAt: new Date(Date.now() + leadMs).toISOString(), like: own };
    const begun = step && proposedEnrolment(base, { accountId, contactId: twinContact, step });
    const enrolment = begun?.action.actionId;
    const honest = proposedMessage(base, { ...to, contactId: twinContact, step, enrolment });
    const task = taskOf(honest);
    // Only one thing is wrong: of another sequence, it is about both of them.
    const about = begun
      ? { ...task, contactIds: [twinContact, badContact], kinds: [...task.kinds, begun.action.kind] }
      : task;
    // Its agent does not know it as its own, and so sends none of its messages.
    if (begun) await approved(begun, about);
    const twin = (await approved(honest, about)).event.data;
    const beside = { ...base, item: 'bad' };
    const bad =
      id === 'step-twice'
        ? proposedMessage(beside, { ...to, contactId: twinContact, step, enrolment })
        : proposedMessage(beside, {
            ...to,
            contactId: badContact,
            step: id === 'task-of-another-sequence' ? other : undefined,
          });
    const verdict = await verdictOn(bad);
    if (verdict?.event.type === 'ActionEscalated') await rejected(bad, verdict.event.data.digest);
    const record = refusalOf(verdict);
    await settlement(twin, leadMs + patienceMs);
    // Sent twice to one contact it would be two effects of the twin.
    return { twin, record, twinContact, ...(id !== 'step-twice' && { badContact }) };
  };

  /** Takes what waits for a person from the reviewers, where this token may answer: else it ends at its deadline. */
  const rejected = async ({ proposalId }: ActionProposed, digest: string): Promise<void> => {
    const answer = { decision: 'reject', digest, category: 'other', note: `countersign probe ${run}` };
    for (const end = Date.now() + patienceMs; Date.now() < end; await sleep(100)) {
      try {
        await s.console.post(`/v1/reviews/${proposalId}`, answer);
        return;
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        // The console reads it when it has read so far.
        if ((error.problem as { status?: number } | undefined)?.status !== 404) return;
      }
    }
  };

  const messages = async (attempt: Attempt, part: Part): Promise<Came> => {
    const { id } = attempt;
    if (attempt.expected.as === 'refused') return besideTwin(attempt, part);
    const own = probeAccountOf(run, id);
    const bad = await message(id, part, id === 'early' ? hour : leadMs);
    if (!attempt.ownTwin) {
      const record = await whileOutstanding(id, bad.approval);
      await settlement(bad.approval, leadMs + patienceMs);
      return {
        twin: bad.approval,
        twinContact: bad.contactId,
        record: record === undefined ? await ignored(bad.approval) : record,
      };
    }
    if (id === 'withdrawn') await withdrawal(from, patienceMs, run, id);
    if (id === 'stopped') await control(own, 'stopped');
    try {
      const twin = await message(`${id}-twin`, part, leadMs);
      await settlement(twin.approval, leadMs + patienceMs);
      const settled = id === 'early' ? settlements(bad.approval)[0]?.event.data : await settlement(bad.approval);
      const record: Record = settled ? asRecord(settled) : id === 'early' ? { as: 'waiting' } : null;
      return { record, twin: twin.approval, twinContact: twin.contactId, badContact: bad.contactId };
    } finally {
      if (id === 'stopped') await control(own, 'running');
      // So that it never runs: when its time comes, its consent is gone.
      if (id === 'early') await withdrawal(from, patienceMs, run, id);
    }
  };

  /** Acts on a permit that waits for its time. Undefined: what counts is only seen when it has settled. */
  const whileOutstanding = async (id: AttemptId, approval: ActionApproved): Promise<Record | undefined> => {
    if (id === 'approved-twice') {
      await rewrite(approval);
      // It is not determined which of the two uses the permit. The other one is rejected.
      const matches = (d: { permitId?: string | undefined }): boolean => d.permitId === approval.permitId;
      const code = await wire.until(
        () => wire.eventsOf('PermitRejected', matches)[0]?.event.data.reason.code,
        leadMs + patienceMs,
      );
      return code === undefined ? null : { as: 'rejected', code };
    }
    const { permitId, actionId, proposalId, digest, connector } = approval;
    const stranger = anotherThan(approval.executor, deployment.executors);
    if (!stranger) throw new NotTried('there is no other executor');
    const reason = { code: 'probe', detail: 'a settlement by somebody whom the permit does not name' };
    const data = {
      permitId,
      actionId,
      proposalId,
      digest,
      executor: stranger,
      connector,
      outcome: 'failed',
      reason,
      at: s.now(),
    };
    await write(stranger, topics.actionsSettled(stranger).name, actionKey(approval.action), 'ActionSettled', data);
    return undefined;
  };
  /** A stranger's settlement is there for everybody to see, and the permit ended as if it were not. */
  const ignored = async (approval: ActionApproved): Promise<Record> => {
    const strange = await wire.until(
      () =>
        wire.eventsOf('ActionSettled', (d) => d.permitId === approval.permitId && d.executor !== approval.executor)[0],
      patienceMs,
    );
    return strange ? { as: 'ignored' } : null;
  };
  const control = (accountId: string, state: 'stopped' | 'running') =>
    s.console.post('/v1/controls', { scope: `account:${accountId}`, state, reason: `countersign probe ${run}` });

  const came = new Map<AttemptId, Came | NotTried>();
  const reportCount = () => onProgress?.('attempts made', came.size, attempts.length);
  reportCount();
  await Promise.all(
    attempts.map(async (attempt) => {
      const part = parts[attempt.ground];
      try {
        if (!part) throw new NotTried('no charter and play let an agent do this alone');
        if (attempt.needsSigningKey && !signingKey) throw new NotTried('needs the signing key');
        came.set(attempt.id, await (attempt.ground === 'bid' ? bid : messages)(attempt, part));
      } catch (error) {
        // The console's no, such as to a stop that this token may not make, concerns one attempt only.
        if (error instanceof NotTried) came.set(attempt.id, error);
        else if (error instanceof Failure && error.exitCode === 1) came.set(attempt.id, new NotTried(error.message));
        else throw error;
      }
      reportCount();
    }),
  );

  const [campaigns, sentMessages] = await Promise.all([sandbox.campaigns(), sandbox.messages()]);
  const seen = new Map<string, Seen>();
  for (const attempt of attempts) {
    const attempted = came.get(attempt.id);
    if (!attempted || attempted instanceof NotTried) {
      const reason = attempted?.message ?? 'it did not come to it';
      seen.set(attempt.id, { tried: false, reason, ...(attempted instanceof NotMeasured && { heldUp: true }) });
      continue;
    }
    const sentTo = (id: string | undefined): number => sentMessages.filter((m) => m.contactId === id).length;
    const now = campaigns.find((c) => c.campaignId === campaignOf(run, attempt))?.bidMinor;
    const effects =
      attempt.ground === 'bid'
        ? { badEffects: now === bids.bad ? 1 : 0, twinEffects: now === bids.honest ? 1 : 0 }
        : {
            badEffects: attempted.badContact ? sentTo(attempted.badContact) : 0,
            twinEffects: sentTo(attempted.twinContact),
          };
    const twinExecuted = settlements(attempted.twin).filter(({ event }) => event.data.outcome === 'executed').length;
    seen.set(attempt.id, { tried: true, found: { record: attempted.record, ...effects, twinExecuted } });
  }
  return judgeProbe(run, seen);
}

const asRecord = ({ outcome, reason }: { outcome: string; reason?: { code: string } | undefined }): Record =>
  outcome === 'executed' ? { as: 'executed' } : { as: 'settled', outcome, ...(reason && { code: reason.code }) };

function ownKey(): SigningKey {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return readSigningKey({ ...jwk, kid: 'probe' });
}

/** What an agent writes where it may not. Were it let through, the event would be a good one. */
function forbiddenWrite(id: AttemptId, agent: string, other: string | undefined) {
  switch (id) {
    case 'agent-approves':
      return (twin: ActionApproved) => ({ topic: 'actions.approved.v1', type: 'ActionApproved' as const, data: twin });
    case 'agent-as-another':
      if (!other) throw new NotTried('there is no other agent');
      return ({ proposalId, action }: ActionApproved) => ({
        topic: topics.actionsProposed(other).name,
        type: 'ActionProposed' as const,
        data: { proposalId, action, agent: other },
      });
    case 'agent-writes-controls':
      return () => ({
        topic: 'controls.v1',
        type: 'ControlChanged' as const,
        data: { scope: 'account:probe', state: 'running' },
      });
    case 'agent-too-large':
      return ({ proposalId, action }: ActionApproved) => ({
        topic: topics.actionsProposed(agent).name,
        type: 'ActionProposed' as const,
        data: { proposalId, action, agent, rationale: 'x'.repeat(aboveAnyTopic) },
      });
    default:
      return undefined;
  }
}

/** The task that a proposal names although it may not; undefined: there is none. */
function foreignTask(id: AttemptId, proposal: ActionProposed, other: string | undefined): TaskAssigned | undefined {
  const task = taskOf(proposal);
  switch (id) {
    case 'task-of-another-agent':
      if (!other) throw new NotTried('there is no other agent');
      return { ...task, agent: other };
    case 'task-of-another-account':
      return { ...task, adAccountId: `${task.adAccountId}-other` };
    case 'task-of-another-campaign':
      return { ...task, campaignId: `${proposal.action.payload.campaignId}-other` };
    case 'task-ended':
      return { ...task, dueAt: new Date(Date.parse(proposal.proposedAt) - 2 * taskGraceMs).toISOString() };
    default:
      return undefined;
  }
}
