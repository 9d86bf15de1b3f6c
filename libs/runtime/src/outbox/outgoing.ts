/** An output as a table holds it. Its bytes are fixed here, and a repeat publishes the same ones. */
export interface OutboxMessage {
  readonly topic: string;
  readonly key: string;
  readonly headers: string;
  readonly value: string;
}

/**
 * An output on its way to the broker, with everything that the way needs, made once: the headers as they are sent and as they are
 * stored, and the size.
 */
export interface Outgoing {
  readonly topic: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The headers as the text that is stored. */
  readonly headersText: string;
  readonly value: string;
  /** The size on the wire, without framing. */
  readonly bytes: number;
}

/** An output that a unit of work made, with its original data, so that the value need not be parsed again. */
export interface Emitted extends Outgoing {
  readonly data: unknown;
}

type Message = Pick<Outgoing, 'topic' | 'key' | 'headers' | 'value'>;

/** An output from headers and value. */
export const outgoing = (message: Message): Outgoing => sized(message, JSON.stringify(message.headers));

/** A stored output, to be published again. */
export const storedAgain = ({ headers, ...rest }: OutboxMessage): Outgoing =>
  sized({ ...rest, headers: JSON.parse(headers) as Record<string, string> }, headers);

/** The stored part of an output. */
export const toStore = ({ topic, key, headersText, value }: Outgoing): OutboxMessage => ({
  topic,
  key,
  headers: headersText,
  value,
});

const sized = ({ topic, key, headers, value }: Message, headersText: string): Outgoing => ({
  topic,
  key,
  headers,
  headersText,
  value,
  bytes: Buffer.byteLength(value) + Buffer.byteLength(headersText) + Buffer.byteLength(key),
});
