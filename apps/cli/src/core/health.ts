const well = new Set(['ok', 'running']);

/** Members of a health page that describe a state and never a problem. */
const plain = new Set(['stateAgeMs', 'stateTakenOver', 'topicSettings']);

/** The problems on a health page: names of its members, each with its value if that is a word. */
export const wrongIn = (checks: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(checks).flatMap(([name, value]) => {
    if (plain.has(name) || well.has(String(value))) return [];
    return [typeof value === 'string' ? `${name}: ${value}` : name];
  });
