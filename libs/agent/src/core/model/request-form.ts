/** The parts of a question that not every server knows. */
export interface RequestForm {
  /** The member that bounds the tokens of an answer. */
  readonly limit: 'max_completion_tokens' | 'max_tokens';
  /** The response format. Where it is not `json_schema`, the question says the schema in words. */
  readonly format: 'json_schema' | 'json_object' | 'none';
}

/** What the protocol's newest version understands; the first question is asked so. */
export const fullForm: RequestForm = { limit: 'max_completion_tokens', format: 'json_schema' };

/** Statuses that servers give for a part that they do not know. The others (401, 413, 429 …) speak of something else. */
const unknownPart: ReadonlySet<number | undefined> = new Set([400, 404, 422, 500, 501]);

/**
 * The form without the part that a refusal names, one step simpler; undefined where the refusal names none that can be left out.
 * Every step leaves less to leave out, so it ends after three.
 */
export function simplerForm(form: RequestForm, status: number | undefined, refusal: string): RequestForm | undefined {
  if (!unknownPart.has(status)) return undefined;
  if (form.limit === 'max_completion_tokens' && refusal.includes('max_completion_tokens')) {
    return { ...form, limit: 'max_tokens' };
  }
  if (
    form.format === 'none' ||
    !/response.?format|json.?schema|json.?object|grammar|guided|structured/i.test(refusal)
  ) {
    return undefined;
  }
  return { ...form, format: form.format === 'json_schema' ? 'json_object' : 'none' };
}

/** A form in words, for a log. */
export const formInWords = ({ limit, format }: RequestForm): string =>
  `${limit} and ${format === 'none' ? 'no response format' : `the response format ${format}`}`;
