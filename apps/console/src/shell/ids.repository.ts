import { type Reader, RUNTIME, type Runtime } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { type Candidate, type Findable, type IdRange, mostLooked } from '../core/ids.js';
import { standings } from './console.repository.js';
import { readersOf } from './readers.js';
import { settlementNow } from './unresolved.repository.js';

/*
 * Each statement reads a range of an index, and at most `mostLooked` rows of it. Only then it looks which of these rows fit: anybody
 * could have made many rows that do not.
 */

const all = (table: string, key: string): string =>
  `SELECT ${key} AS id, true AS fits FROM ${table} WHERE ${key} BETWEEN $1 AND $2 ORDER BY ${key} LIMIT ${mostLooked}`;

const statements: Readonly<Record<Exclude<Findable, 'review'>, string>> = {
  'dead-letter': all('failures', 'dead_letter_id'),
  run: all('play_runs', 'run_id'),
  permit: `
    SELECT u.permit_id AS id, coalesce(s.outcome = 'unresolved', false) AS fits
    FROM (SELECT * FROM unresolved_permits WHERE permit_id BETWEEN $1 AND $2 ORDER BY permit_id LIMIT ${mostLooked}) u
    LEFT JOIN LATERAL ${settlementNow} s ON true`,
};

const reviews = `
  SELECT subject_id AS id, standing = 'open' AS fits FROM (${standings} WHERE e.action_id IN (
    SELECT action_id FROM escalations WHERE subject_id BETWEEN $2 AND $3 ORDER BY subject_id LIMIT ${mostLooked})) e`;

/** Finds ids by their first characters. */
@Injectable()
export class IdStore {
  private readonly forPages: Reader;

  constructor(@Inject(RUNTIME) private readonly runtime: Runtime) {
    ({ forPages: this.forPages } = readersOf(runtime));
  }

  candidates(kind: Findable, { first, last }: IdRange): Promise<Candidate[]> {
    return kind === 'review'
      ? this.forPages.query<Candidate>(reviews, [this.runtime.now(), first, last])
      : this.forPages.query<Candidate>(statements[kind], [first, last]);
  }
}
