import { own, type RejectionCode } from '@countersign/contracts';

/** The meaning of a reason code, and what the operator of the source has to change. */
export interface RejectionWords {
  readonly title: string;
  readonly change: string;
}

const again = 'Then send it again under a new id.';

/** A new code does not compile without its words. */
const words: { readonly [C in RejectionCode]: RejectionWords } = {
  batch: {
    title: 'The batch of records could not be unpacked',
    change:
      'Use a compression that Kafka knows, and batches that unpack to a moderate size. Then send the signals again.',
  },
  'no-value': {
    title: 'The record was empty',
    change: 'Write the signal as the value of the record. An empty record has no meaning on this topic.',
  },
  'media-type': {
    title: 'The content type is not one that is understood',
    change: `Say application/json with the attributes in ce_ headers, or application/cloudevents+json for a whole event. ${again}`,
  },
  charset: {
    title: 'The text is not in the character set that it claims',
    change: `Send UTF-8, or name the character set in the content type. ${again}`,
  },
  'not-json': {
    title: 'The content is not JSON',
    change: `Look at the position that the reason names: a missing quote, a comma too many, a number too large. ${again}`,
  },
  'too-deep': {
    title: 'The JSON is nested too deeply',
    change: `A signal is a flat object with at most a few levels. Send it as its type describes. ${again}`,
  },
  'not-an-object': {
    title: 'The event is not a JSON object',
    change: `Send one CloudEvent as one JSON object, not a list or a text. ${again}`,
  },
  'bad-attribute': {
    title: 'An attribute of the event is missing or wrong',
    change: `Every signal needs id, source, type, specversion 1.0, and a time as RFC 3339. Correct the attribute named above. ${again}`,
  },
  'wrong-author': {
    title: 'The signal says that another source sent it',
    change: `Its source must be the one that sources.yaml gives to this source, or begin with it and a slash. Correct the attribute source. ${again}`,
  },
  'unknown-type': {
    title: 'There is no signal of this type',
    change: `Use one of the types of the project, with the same capitals. If the system calls it something else, map its name before sending. ${again}`,
  },
  contract: {
    title: 'A field is missing, wrong or unknown',
    change: `Correct the field named above. Fields that the type does not have are refused too, so that nothing is lost in silence. ${again}`,
  },
  duplicate: {
    title: 'The same signal was received before',
    change: 'Nothing is lost: the first one counts. If these are two things that happened, give each its own id.',
  },
  future: {
    title: 'The signal is dated in the future',
    change: `Set the clock of the system that sends it, and look whether its time zone is right. ${again}`,
  },
  quality: {
    title: 'The signal says too little, or is too old',
    change:
      'Send more of the fields that sources.yaml says this source sends for the type, or take from that list what the source cannot send.',
  },
  'identity-conflict': {
    title: 'Reference and address belong to two different people',
    change:
      'Find out in the CRM which is right. A ContactUpserted with both, from a source that identifies people, makes them one person where that is possible. Then send this signal again under a new id.',
  },
  currency: {
    title: 'The currency is not that of the ad account',
    change: `Report an ad account in one currency, the one of its first report. Correct the currency or the ad account. ${again}`,
  },
};

/** The words of a code. An unknown code gets words that fit any. */
export const rejectionWords = (code: string): RejectionWords =>
  own<RejectionWords>(words, code) ?? {
    title: 'The signal was rejected',
    change: `Read the reason and the field, correct the signal at its source. ${again}`,
  };
