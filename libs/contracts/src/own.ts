/**
 * The value of a key that came from outside; undefined where the record has none of its own. A bare `record[key]` would find
 * what every object inherits under `constructor`, `toString` or `__proto__`.
 */
export const own = <V>(record: Readonly<Record<string, V>>, key: string): V | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;
