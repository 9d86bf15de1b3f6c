/** What an attempt stands on: a bid of a campaign of the probe's own, or a message to a contact of its own, each truly approved. */
export type Ground = 'bid' | 'message';

/** How a forged action must end: what must be found of it afterwards. */
export type Expected =
  /** `PermitRejected` for the record that was written, with one of these codes. */
  | { readonly as: 'rejected'; readonly codes: readonly string[] }
  /** The permit's one settlement. */
  | { readonly as: 'settled'; readonly outcome: 'refused' | 'expired'; readonly codes: readonly string[] }
  | { readonly as: 'dead-letter'; readonly codes: readonly string[] }
  /** The verdict, for one of these rules. */
  | { readonly as: 'refused'; readonly codes: readonly string[] }
  | { readonly as: 'broker'; readonly codes: readonly string[] }
  /** Approved, on the record, and still waiting for its time. */
  | { readonly as: 'waiting' }
  /** On its topic, and without effect on the permit that it names. */
  | { readonly as: 'ignored' };

export interface Attempt {
  readonly id: AttemptId;
  readonly what: string;
  readonly ground: Ground;
  readonly expected: Expected;
  /** Whether it needs the validator's own signature. */
  readonly needsSigningKey?: boolean;
  /** Whether the honest action differs from the forged one. If not, the approved action is its own twin. */
  readonly ownTwin?: boolean;
}

export type AttemptId =
  | 'forged'
  | 'no-permit'
  | 'altered-action'
  | 'altered-permit'
  | 'expired'
  | 'early'
  | 'replayed'
  | 'other-connector'
  | 'other-executor'
  | 'wrong-key'
  | 'unsigned'
  | 'mac-for-signature'
  | 'key-in-header'
  | 'approved-twice'
  | 'agent-approves'
  | 'agent-as-another'
  | 'agent-writes-controls'
  | 'agent-too-large'
  | 'stranger-settles'
  | 'id-reused'
  | 'task-unknown'
  | 'task-of-another-agent'
  | 'task-of-another-account'
  | 'task-of-another-campaign'
  | 'task-of-another-contact'
  | 'task-of-another-sequence'
  | 'own-words'
  | 'step-twice'
  | 'task-ended'
  | 'id-of-another-agent'
  | 'stopped'
  | 'withdrawn';

const rejected = (...codes: string[]): Expected => ({ as: 'rejected', codes });
const forbidden: Expected = { as: 'broker', codes: ['TOPIC_AUTHORIZATION_FAILED'] };

/** Every attempt, as data. Each has a twin: the same without the defect, which must run exactly once. */
export const attempts: readonly Attempt[] = [
  {
    id: 'forged',
    what: "a permit signed by a stranger under the validator's key id",
    ground: 'bid',
    expected: rejected('signature'),
  },
  {
    id: 'no-permit',
    what: 'an approval without a permit',
    ground: 'bid',
    // It is no approval at all: the contract asks for a permit before anybody could look at one.
    expected: { as: 'dead-letter', codes: ['contract'] },
  },
  { id: 'altered-action', what: 'an approved action with another bid', ground: 'bid', expected: rejected('digest') },
  {
    id: 'altered-permit',
    what: 'a permit with other claims under its old signature',
    ground: 'bid',
    expected: rejected('signature'),
  },
  {
    id: 'expired',
    what: 'a permit past its time',
    ground: 'bid',
    expected: { as: 'settled', outcome: 'expired', codes: ['expired'] },
    needsSigningKey: true,
  },
  {
    id: 'early',
    what: 'a permit whose time is an hour away',
    ground: 'message',
    expected: { as: 'waiting' },
    ownTwin: true,
  },
  { id: 'replayed', what: 'an approval again, after it ran', ground: 'bid', expected: rejected('spent') },
  { id: 'other-connector', what: 'a permit shown to another connector', ground: 'bid', expected: rejected('audience') },
  {
    id: 'other-executor',
    what: "another executor's permit",
    ground: 'bid',
    expected: rejected('audience'),
    needsSigningKey: true,
  },
  {
    id: 'wrong-key',
    what: 'a permit signed with a key that nobody configured',
    ground: 'bid',
    expected: rejected('unknown-key'),
  },
  { id: 'unsigned', what: 'algorithm "none"', ground: 'bid', expected: rejected('algorithm') },
  {
    id: 'mac-for-signature',
    what: 'algorithm HS256 with the public key as the secret',
    ground: 'bid',
    expected: rejected('algorithm'),
  },
  { id: 'key-in-header', what: 'a permit that brings its own key', ground: 'bid', expected: rejected('key-in-header') },
  {
    id: 'approved-twice',
    what: 'one permit in two approvals, both before its time',
    ground: 'message',
    expected: rejected('spent'),
  },
  { id: 'agent-approves', what: 'an agent writes actions.approved.v1', ground: 'bid', expected: forbidden },
  { id: 'agent-as-another', what: "an agent writes another agent's topic", ground: 'bid', expected: forbidden },
  { id: 'agent-writes-controls', what: 'an agent writes controls.v1', ground: 'bid', expected: forbidden },
  {
    id: 'agent-too-large',
    what: 'a proposal above what a topic takes',
    ground: 'bid',
    expected: { as: 'broker', codes: ['MESSAGE_TOO_LARGE'] },
  },
  {
    id: 'stranger-settles',
    what: 'another executor settles a permit that is not its own',
    ground: 'message',
    expected: { as: 'ignored' },
  },
  {
    id: 'id-reused',
    what: 'an event id again with other bytes',
    ground: 'bid',
    expected: { as: 'dead-letter', codes: ['id-reused'] },
  },
  {
    id: 'task-unknown',
    what: 'a proposal whose task nobody assigned',
    ground: 'bid',
    expected: { as: 'refused', codes: ['task-unknown'] },
  },
  {
    id: 'task-of-another-agent',
    what: "a proposal under another agent's task",
    ground: 'bid',
    expected: { as: 'refused', codes: ['task'] },
  },
  {
    id: 'task-of-another-account',
    what: 'a proposal under a task about another account',
    ground: 'bid',
    expected: { as: 'refused', codes: ['task'] },
  },
  {
    id: 'task-of-another-campaign',
    what: 'a proposal under a task about another campaign of the same ad account',
    ground: 'bid',
    expected: { as: 'refused', codes: ['task'] },
  },
  {
    id: 'task-of-another-contact',
    what: 'a message to somebody of the same account whom the task is not about',
    ground: 'message',
    expected: { as: 'refused', codes: ['task'] },
  },
  {
    id: 'task-of-another-sequence',
    what: 'a step of another sequence than the task names',
    ground: 'message',
    expected: { as: 'refused', codes: ['task'] },
  },
  {
    id: 'own-words',
    what: "words of an agent's own under a task that is about the messages of a sequence",
    ground: 'message',
    // A person is asked, or would be.
    expected: { as: 'refused', codes: ['escalated', 'reviews-waiting'] },
  },
  {
    id: 'step-twice',
    what: 'a step of an enrolment again, after it was approved',
    ground: 'message',
    expected: { as: 'refused', codes: ['enrolment-step'] },
  },
  {
    id: 'task-ended',
    what: 'a proposal under a task that was due two days ago',
    ground: 'bid',
    expected: { as: 'refused', codes: ['task-ended'] },
  },
  {
    id: 'id-of-another-agent',
    what: 'a proposal under the id that another agent will use',
    ground: 'bid',
    expected: { as: 'refused', codes: ['proposal-id'] },
  },
  {
    id: 'stopped',
    // Executors compare every scope in the same way. A real agent is not stopped for a probe, with all its work.
    what: 'an outstanding permit, its account stopped meanwhile',
    ground: 'message',
    expected: { as: 'settled', outcome: 'refused', codes: ['stopped', 'control-changed'] },
    ownTwin: true,
  },
  {
    id: 'withdrawn',
    what: 'a permit older than a withdrawal',
    ground: 'message',
    expected: { as: 'settled', outcome: 'refused', codes: ['consent-changed', 'consent-absent'] },
    ownTwin: true,
  },
];
