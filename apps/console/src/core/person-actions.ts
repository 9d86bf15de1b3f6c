import { type Action, actionDetail, type DataOf, kindSpec } from '@countersign/contracts';

/** An action that concerns a person, with the validator's verdict. */
export interface PersonAction {
  readonly contactId: string;
  readonly actionId: string;
  readonly proposalId: string;
  readonly agent: string;
  readonly playTitle: string;
  readonly kind: string;
  readonly detail: string;
  readonly at: string;
}

type Judged = Pick<DataOf<'ActionApproved'>, 'proposalId' | 'agent' | 'play' | 'verdict'>;

/**
 * One entry for each contact that an action names; none for an unreadable action. The words name nobody, because the page is
 * about the person.
 */
export function personActions(judged: Judged, action: Action): PersonAction[] {
  const spec = kindSpec(action.kind);
  const payload = spec?.payload.safeParse(action.payload);
  if (!spec || !payload?.success) return [];
  const { proposalId, agent, play, verdict } = judged;
  return [...new Set(spec.contacts(payload.data))].map((contactId) => ({
    contactId,
    actionId: action.actionId,
    proposalId,
    agent,
    playTitle: play.title,
    kind: action.kind,
    detail: actionDetail(action, (named) => (named === contactId ? 'this person' : 'another person')) ?? action.kind,
    at: verdict.at,
  }));
}
