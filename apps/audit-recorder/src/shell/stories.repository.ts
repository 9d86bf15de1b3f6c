import { type Topic, topology } from '@countersign/contracts';
import { deployment, RUNTIME, type Runtime } from '@countersign/runtime';
import { Inject, Injectable } from '@nestjs/common';
import { readBack } from '../core/read-back.js';
import { type Recorded, storyOf, wantedIds } from '../core/story.js';
import { type Line, storyLines, titleOf } from '../core/story-lines.js';
import { plain } from '../core/text.js';
import { findByIds } from './log.repository.js';

/** The answer of `GET /v1/show/:id`. */
export interface Story {
  readonly id: string;
  readonly found: boolean;
  readonly title: string;
  readonly lines: readonly Line[];
  readonly events: readonly {
    readonly at: string;
    readonly topic: string;
    readonly partition: number;
    readonly offset: string;
    readonly type: string | null;
    readonly id: string | null;
    readonly index: number;
  }[];
}

/** How many lookups follow a story: from proposal to task to evidence to a failure takes five. */
const looks = 8;
const recordsPerLook = 2_000;
/** The most bytes of records in one story. Otherwise a writer of records could fill the memory with the answer for one id. */
const storyBytes = 33_554_432;

/** Finds the records that belong to one id and makes their story. */
@Injectable()
export class Stories {
  private readonly topics: readonly Topic[] = topology(deployment());

  constructor(@Inject(RUNTIME) private readonly runtime: Runtime) {}

  async show(asked: string): Promise<Story> {
    const id = plain(asked);
    const found = new Map<number, Recorded>();
    const known = new Set<string>();
    let left = storyBytes;
    for (let look = 0, ids = [id]; look < looks && ids.length > 0 && left > 0; look++) {
      for (const name of ids) known.add(name);
      const stored = await findByIds((sql, params) => this.runtime.readForPage(sql, params), ids, recordsPerLook, left);
      left -= stored.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), 0);
      for (const leaf of stored) if (!found.has(leaf.index)) found.set(leaf.index, readBack(leaf, this.topics));
      ids = wantedIds(id, [...found.values()]).filter((name) => !known.has(name));
    }
    const story = storyOf(id, [...found.values()]);
    return {
      id,
      found: story.length > 0,
      title: titleOf(id, story),
      lines: storyLines(story),
      events: story.map((record) => ({
        at: record.at,
        topic: record.topic,
        partition: record.partition,
        offset: record.offset,
        type: record.event?.type ?? null,
        id: record.id,
        index: record.index,
      })),
    };
  }
}
