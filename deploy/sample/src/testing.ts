import {
  checkEvent,
  type DataOf,
  derivedId,
  digestOf,
  type Envelope,
  type EventType,
  shippedDeployment,
  topicNamed,
  topology,
} from '@countersign/contracts';
import type { Observed, Refusal } from './core/seen.js';
import type { Act } from './core/story.js';
import type { SamplePorts } from './play.js';

/** What a stand-in may do wrong, to see that a story notices. */
export interface Flaws {
  readonly sendsAfterUnsubscribe?: boolean;
  readonly ignoresControls?: boolean;
  readonly takesDuplicates?: boolean;
}

type Loose = Record<string, unknown> & { contactId?: string };

/**
 * A few rules of thumb in the place of the eight services: enough to play the sample against, without a broker. What it
 * published is kept, so that a second player can be given the same one.
 */
export function standIn(start: string, flaws: Flaws = {}) {
  const topics = topology();
  const events: Observed[] = [];
  const acts: Act[] = [];
  const known = new Set<string>();
  const engaged = new Map<string, Set<string>>();
  const written = new Set<string>();
  const gone = new Set<string>();
  const begun = new Set<string>();
  const due: { readonly look: number; readonly settle: () => void }[] = [];
  let looks = 0;
  const cfo = derivedId('person', 'crm:lumen-health-4');
  let stopped: string | undefined;
  let published = 0;

  const emit = <T extends EventType>(type: T, data: unknown): void => {
    events.push({ topic: '', id: derivedId('event', events.length), type, time: start, data: data as DataOf<T> });
  };
  const rejected = (event: Envelope, code: string) =>
    emit('SignalRejected', { source: event.source, signalId: event.id, reasons: [{ code, detail: code }] });

  const task = (play: string, agent: string, about: object): string => {
    const taskId = derivedId('task', play, agent, JSON.stringify(about));
    emit('TaskAssigned', { taskId, play: { id: play }, agent, ...about });
    return taskId;
  };
  /** Proposes, judges and, a look later, settles one action. */
  const act = (
    taskId: string,
    agent: string,
    kind: string,
    payload: Loose,
    verdict: [outcome: string, rule?: string],
  ) => {
    const proposalId = derivedId('proposal', taskId, kind, JSON.stringify(payload));
    const action = { actionId: derivedId('action', proposalId), kind, payload };
    emit('ActionProposed', { proposalId, taskId, agent, action, rationale: 'because' });
    const [outcome, rule = 'tier'] = verdict;
    const reasons = [{ rule, outcome: outcome === 'refused' ? 'refuse' : 'escalate', detail: `${rule} says so` }];
    const judged = { proposalId, action, digest: digestOf(action), verdict: { outcome, reasons } };
    if (outcome === 'refused') emit('ActionRefused', judged);
    else if (outcome === 'escalated') emit('ActionEscalated', { ...judged, reviewers: ['lea', 'marc'] });
    else {
      emit('ActionApproved', judged);
      // A message has a send time a little ahead; everything else is carried out at once.
      due.push({ look: looks + (kind === 'email.send' ? 200 : 2), settle: () => settle(proposalId, payload) });
    }
  };
  const settle = (proposalId: string, { contactId }: Loose) => {
    const refused = contactId !== undefined && gone.has(contactId) && !flaws.sendsAfterUnsubscribe;
    emit('ActionSettled', {
      proposalId,
      outcome: refused ? 'refused' : 'executed',
      reason: { detail: 'consent changed' },
    });
  };

  const surge = (accountId: string, topic: string, contacts: ReadonlySet<string>) => {
    const play = `tier-1-${topic}-surge`;
    if (begun.has(`${play} ${accountId}`)) return;
    begun.add(`${play} ${accountId}`);
    if (topic === 'comparison') {
      const ads = task(play, 'paid-media-agent', { accountId });
      act(ads, 'paid-media-agent', 'ads.set_bid', { campaignId: 'cmp-comparison', bidMinor: 253, accountId }, [
        'approved',
      ]);
    }
    const mail = task(play, 'sequencing-agent', { accountId });
    for (const contactId of contacts) {
      const verdict: [string, string?] = written.has(contactId)
        ? ['refused', 'contact-frequency']
        : contactId === cfo
          ? ['escalated', 'first-touch']
          : ['approved'];
      written.add(contactId);
      act(mail, 'sequencing-agent', 'email.send', { contactId, template: topic }, verdict);
    }
  };
  const floor = (campaignId: string) => {
    if (begun.has(campaignId)) return;
    begun.add(campaignId);
    const agent = 'paid-media-agent';
    const taskId = task('return-below-floor', agent, { campaignId });
    const shift = (amountMinor: number) => ({ fromCampaignId: campaignId, amountMinor });
    if (campaignId === 'cmp-retargeting')
      act(taskId, agent, 'ads.shift_budget', shift(30_000), ['escalated', 'budget-threshold']);
    else if (campaignId === 'cmp-dach-search')
      act(taskId, agent, 'ads.shift_budget', shift(120_000), ['refused', 'spend-cap-campaign']);
    else {
      const halted = stopped !== undefined && !flaws.ignoresControls;
      act(taskId, agent, 'ads.pause_campaign', { campaignId }, halted ? ['refused', 'kill-control'] : ['approved']);
    }
  };

  const take = (event: Envelope) => {
    const key = `${event.source} ${event.id}`;
    if (known.has(key) && !flaws.takesDuplicates) return rejected(event, 'duplicate');
    known.add(key);
    const age = Date.parse(start) - Date.parse(event.time);
    if (age < -300_000) return rejected(event, 'future');
    const data = event.data as {
      account?: { id: string };
      contact?: { ref: string };
      topic?: string;
      campaignId?: string;
    };
    const contactId = data.contact && derivedId('person', data.contact.ref);
    const accountId = data.account?.id;
    const triggers = age < 30 * 86_400_000;
    emit('SignalAccepted', {
      source: event.source,
      signalId: event.id,
      type: event.type,
      accountId,
      contactId,
      triggers,
    });
    if (event.type === 'EmailUnsubscribed' && contactId) gone.add(contactId);
    if (event.type === 'CampaignPerformanceReported' && storyCampaigns.includes(data.campaignId ?? ''))
      floor(data.campaignId ?? '');
    if (event.type !== 'ContentEngaged' || !triggers || !accountId || !contactId) return;
    if (data.topic !== 'comparison' && data.topic !== 'pricing') return;
    const pattern = `${accountId} ${data.topic}`;
    const contacts = (engaged.get(pattern) ?? new Set()).add(contactId);
    engaged.set(pattern, contacts);
    if (contacts.size === 3) surge(accountId, data.topic, contacts);
  };

  const ports: SamplePorts = {
    async publish(source, batch) {
      const topic = topicNamed(`signals.inbound.${source}.v1`, topics);
      const refusals: Refusal[] = [];
      for (const event of batch) {
        published++;
        const checked = checkEvent(topic, event);
        if (checked.ok) take(checked.event);
        else if (source === 'upstream') rejected(event, checked.fault.code);
        else refusals.push({ id: event.id, status: 400 });
      }
      return refusals;
    },
    async act(done) {
      acts.push(done);
      switch (done.kind) {
        case 'campaigns':
          return;
        case 'stop':
        case 'resume':
          stopped = done.kind === 'stop' ? done.scope : undefined;
          emit('ControlChanged', { scope: done.scope, state: stopped ? 'stopped' : 'running' });
          return;
        case 'review': {
          const { subjectId: proposalId, payload = {} } = done;
          emit('ReviewDecided', { subject: { id: proposalId }, decision: done.decision, by: done.by });
          emit('ActionApproved', { proposalId, action: { payload } });
          due.push({ look: looks + 2, settle: () => settle(proposalId, payload) });
        }
      }
    },
    events() {
      // Settlements lag behind approvals, as they do in earnest.
      looks++;
      const now = due.filter(({ look }) => look <= looks);
      for (const entry of now) due.splice(due.indexOf(entry), 1)[0]?.settle();
      return events;
    },
  };
  return { ports, acts, events, sources: shippedDeployment.sources, published: () => published };
}

const storyCampaigns = ['cmp-display', 'cmp-retargeting', 'cmp-dach-search', 'cmp-dach-video'];
