import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, type ZlibOptions } from 'node:zlib';
import type { Fault } from '@countersign/contracts';
import { type Problem, problem } from './problem.js';

export type Unpacker = (body: Buffer, options: ZlibOptions) => Promise<Buffer>;

/** The content encodings that are unpacked, each with a size limit: a small body may contain a very large one. */
const unpackers: ReadonlyMap<string, Unpacker> = new Map([
  ['gzip', promisify<Buffer, ZlibOptions, Buffer>(gunzip)],
  ['x-gzip', promisify<Buffer, ZlibOptions, Buffer>(gunzip)],
  ['deflate', promisify<Buffer, ZlibOptions, Buffer>(inflate)],
  ['br', promisify<Buffer, ZlibOptions, Buffer>(brotliDecompress)],
]);

/** The names of the supported encodings. */
export const encodings: readonly string[] = [...unpackers.keys()];

/** How many bodies of one source are unpacked at once: the unpacked size is unknown before, so its room is taken afterwards. */
const atOnce = 4;

/** Removes the content encoding of bodies, a few of each source at once. The others wait and keep their room. */
export class Unpacking {
  private readonly queues = new Map<string, { running: number; readonly waiting: (() => void)[] }>();

  constructor(
    private readonly mostBytes: number,
    private readonly by: ReadonlyMap<string, Unpacker> = unpackers,
  ) {}

  /** `gone` says whether the sender has left; it is called when it is the body's turn. */
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
    // A request that ends gives its turn to the next.
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
