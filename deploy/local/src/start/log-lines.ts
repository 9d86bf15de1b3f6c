/** A line of a service's log as a terminal shows it; what is no such line stays as it is. */
export function readable(line: string): string {
  let fields: { level?: unknown; context?: unknown; msg?: unknown } | null;
  try {
    fields = JSON.parse(line);
  } catch {
    return line;
  }
  if (typeof fields?.msg !== 'string' || typeof fields.level !== 'string') return line;
  const context = typeof fields.context === 'string' ? `[${fields.context}] ` : '';
  return `${fields.level.toUpperCase()} ${context}${fields.msg}`;
}
