/** An output as a table keeps it: the bytes are fixed here, a repeat publishes them again. */
export interface OutboxMessage {
  readonly topic: string;
  readonly key: string;
  readonly headers: string;
  readonly value: string;
}

/** An output on its way to the broker. Whatever the way asks for is made once: headers as they are sent and as they are stored, its size. */
export interface Outgoing {
  readonly topic: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The same as the text that is stored. */
  readonly headersText: string;
  readonly value: string;
  /** On the wire, without framing. */
  readonly bytes: number;
}

/** An output that a unit of work made, with its data as it was given: nobody reads it out of the value again. */
export interface Emitted extends Outgoing {
  readonly data: unknown;
}

type Message = Pick<Outgoing, 'topic' | 'key' | 'headers' | 'value'>;

/** An output of headers and value. */
export const outgoing = (message: Message): Outgoing => sized(message, JSON.stringify(message.headers));

/** An output that was stored, to be published again. */
export const storedAgain = ({ headers, ...rest }: OutboxMessage): Outgoing =>
  sized({ ...rest, headers: JSON.parse(headers) as Record<string, string> }, headers);

/** What is stored of an output. */
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
