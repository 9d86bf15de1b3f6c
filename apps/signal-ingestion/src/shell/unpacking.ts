import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, type ZlibOptions } from 'node:zlib';
import type { Fault } from '@countersign/contracts';
import { type Problem, problem } from './problem.js';

export type Unpacker = (body: Buffer, options: ZlibOptions) => Promise<Buffer>;

/** The encodings of a body that are taken apart, each to a bound: a small body may hold a very large one. */
const unpackers: ReadonlyMap<string, Unpacker> = new Map([
  ['gzip', promisify<Buffer, ZlibOptions, Buffer>(gunzip)],
  ['x-gzip', promisify<Buffer, ZlibOptions, Buffer>(gunzip)],
  ['deflate', promisify<Buffer, ZlibOptions, Buffer>(inflate)],
  ['br', promisify<Buffer, ZlibOptions, Buffer>(brotliDecompress)],
]);

/** The names of the encodings that are understood. */
export const encodings: readonly string[] = [...unpackers.keys()];

/** Bodies of one source that are unpacked at once: how large one is nobody knows before, so its room is taken after. */
const atOnce = 4;

/** Takes bodies out of their content encoding, a few of each source at once; the others wait with the room that they have. */
export class Unpacking {
  private readonly queues = new Map<string, { running: number; readonly waiting: (() => void)[] }>();

  constructor(
    private readonly mostBytes: number,
    private readonly by: ReadonlyMap<string, Unpacker> = unpackers,
  ) {}

  /** `gone`: whether its sender still waits for an answer, asked when it is its turn. */
  async unpack(source: string, header: string, body: Buffer, gone: () => boolean): Promise<Buffer | Problem> {
    const [encoding, another] = header
      .split(',')
      .map((name) => name.trim().toLowerCase())
      .filter((name) => name !== '' && name !== 'identity');
    if (encoding === undefined) return body;
    const unpack = this.by.get(encoding);
    if (!unpack || another !== undefined) return problem(415, unknownEncoding);
    return this.inTurn(source, async () => {
      if (gone()) return problem(400, left);
      try {
        return await unpack(body, { maxOutputLength: this.mostBytes });
      } catch (error) {
        if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE')
          return problem(413, tooLarge(this.mostBytes));
        return problem(400, { code: 'bad-encoding', detail: `the body is not ${encoding}`, field: 'content-encoding' });
      }
    });
  }

  private async inTurn<R>(source: string, work: () => Promise<R>): Promise<R> {
    const queue = this.queues.get(source) ?? { running: 0, waiting: [] };
    this.queues.set(source, queue);
    // Whoever ends hands its turn on.
    if (queue.running >= atOnce) await new Promise<void>((resolve) => queue.waiting.push(resolve));
    else queue.running++;
    try {
      return await work();
    } finally {
      const next = queue.waiting.shift();
      if (next) next();
      else queue.running--;
    }
  }
}

export const tooLarge = (bytes: number): Fault => ({
  code: 'too-large',
  detail: `the body is larger than ${bytes} bytes`,
});
const left: Fault = { code: 'left', detail: 'the request was given up by its sender' };
const unknownEncoding: Fault = {
  code: 'content-encoding',
  detail: `content-encoding: one of ${encodings.join(', ')} is understood, or none`,
  field: 'content-encoding',
};
