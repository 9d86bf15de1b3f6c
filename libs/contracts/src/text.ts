/** Whether Postgres `jsonb` can hold a value, by its JSON: `\u0000` and halves of surrogate pairs it refuses. */
export const fitsJsonb = (json: string): boolean => !/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/.test(json);
