/** The parts of a question that some servers do not know. */
export interface RequestForm {
  /** The member that limits the tokens of an answer. */
  readonly limit: 'max_completion_tokens' | 'max_tokens';
  /** The response format. If it is not `json_schema`, the question describes the schema in words. */
  readonly format: 'json_schema' | 'json_object' | 'none';
}

/** The form for the newest version of the protocol. The first question uses it. */
export const fullForm: RequestForm = { limit: 'max_completion_tokens', format: 'json_schema' };

/** The statuses with which servers refuse a part that they do not know. Other statuses (401, 413, 429 …) have other causes. */
const unknownPart: ReadonlySet<number | undefined> = new Set([400, 404, 422, 500, 501]);

/**
 * The form without the part that a refusal names, one step simpler. Undefined if the refusal names no part that can be left out.
 * Each step leaves fewer parts to leave out, so this ends after three steps.
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
