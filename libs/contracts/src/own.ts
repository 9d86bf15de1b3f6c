/**
 * The value of a key that came from outside; undefined if the record itself does not have it. A bare `record[key]` would return
 * what every object inherits under `constructor`, `toString` or `__proto__`.
 */
export const own = <V>(record: Readonly<Record<string, V>>, key: string): V | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;
