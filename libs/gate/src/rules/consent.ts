import { own } from '@countersign/contracts';
import { type ConsentFound, consentIn } from '../consent.js';
import { type Finding, gravest, pass, type Rule, refuse, unclear } from '../rule.js';

/**
 * Consent counts per purpose and channel. A consent that is not on record is not given. A suppression counts more than every
 * consent.
 */
export const consent: Rule = {
  name: 'consent',
  weigh: ({ subject, facts }) => {
    const needed = subject.consent;
    if (!needed) return undefined;
    return gravest(
      subject.recipients.map((contact) => findingOf(contact, needed, consentIn(own(facts.consents, contact), needed))),
    );
  },
};

function findingOf(contact: string, needed: { purpose: string; channel: string }, found: ConsentFound): Finding {
  const { purpose, channel } = needed;
  const use = `${purpose} by ${channel}`;
  const figures = { contact, purpose, channel };
  switch (found.status) {
    case 'granted':
      return pass(`contact ${contact} agreed to ${use} on ${found.at}`, { ...figures, since: found.at });
    case 'suppressed':
      return refuse(`contact ${contact} is suppressed for ${channel} (${found.reason}) since ${found.at}`, {
        ...figures,
        suppressed: found.reason,
        since: found.at,
      });
    case 'withdrawn':
      return refuse(`contact ${contact} withdrew consent to ${use} on ${found.at}`, { ...figures, since: found.at });
    case 'disputed':
      return unclear(`sources disagree whether contact ${contact} agreed to ${use} (${found.sources})`, {
        ...figures,
        since: found.at,
      });
    case 'unknown':
      return refuse(`contact ${contact} has no consent to ${use} on record, and unknown is no`, figures);
  }
}
