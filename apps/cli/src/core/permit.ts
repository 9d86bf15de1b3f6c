import { parseJson } from '@countersign/contracts';

/** The permit in a text: the text itself, or the `permit` of an ActionApproved event, its data or a whole CloudEvent. */
export function permitIn(text: string): string {
  const trimmed = text.trim();
  if (!trimmed.startsWith('{')) return trimmed;
  try {
    const event = parseJson(trimmed) as { permit?: unknown; data?: { permit?: unknown } };
    const permit = event.permit ?? event.data?.permit;
    return typeof permit === 'string' ? permit : trimmed;
  } catch {
    return trimmed;
  }
}
