const well = new Set(['ok', 'running']);

/** Members of a health page that say how things stand and never that something is wrong. */
const plain = new Set(['stateAgeMs', 'stateTakenOver', 'topicSettings']);

/** What a health page says is wrong: names of its members, each with its value where that is a word. */
export const wrongIn = (checks: Readonly<Record<string, unknown>>): string[] =>
  Object.entries(checks).flatMap(([name, value]) => {
    if (plain.has(name) || well.has(String(value))) return [];
    return [typeof value === 'string' ? `${name}: ${value}` : name];
  });
