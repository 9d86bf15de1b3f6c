import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createBrotliDecompress } from 'node:zlib';
import { cacheDirectory, underLock } from '@countersign/servers';
import { type Browser, chromium } from 'playwright-core';

interface Program {
  /** For people: the origin of the browser. */
  readonly what: string;
  readonly path: string;
  readonly env?: Readonly<Record<string, string>>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Names of an installed browser on the path, and its place on macOS. */
const installedNames = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const installedPlaces = ['Google Chrome', 'Chromium'].map((app) => `/Applications/${app}.app/Contents/MacOS/${app}`);

/**
 * Starts a Chromium without a window. It tries `CHROMIUM_PATH` first; then, on Linux x64, the browser in the npm package
 * `@sparticuz/chromium`, with its libraries and a font, so that a new machine needs nothing; then an installed browser. If none
 * starts, the error lists everything that was tried and why it failed.
 */
export async function startChromium(env: Environment = process.env): Promise<Browser> {
  const tried: string[] = [];
  for (const find of [chosen, shipped, installed]) {
    try {
      const found = await find(env);
      if (typeof found !== 'string') return await launch(found);
      tried.push(found);
    } catch (error) {
      tried.push(firstLines(error));
    }
    // If the caller names a browser, no other one is tried.
    if (env.CHROMIUM_PATH) break;
  }
  throw new Error(
    [
      'No Chromium starts here. Tried:',
      ...tried.map((line) => `- ${line}`),
      'Install Chromium or Google Chrome, or set CHROMIUM_PATH to the program.',
    ].join('\n'),
  );
}

async function chosen({ CHROMIUM_PATH }: Environment): Promise<Program | string> {
  if (!CHROMIUM_PATH) return 'CHROMIUM_PATH is not set';
  if (!existsSync(CHROMIUM_PATH)) return `CHROMIUM_PATH names ${CHROMIUM_PATH}, which is not there`;
  return { what: 'CHROMIUM_PATH', path: CHROMIUM_PATH };
}

async function installed({ PATH }: Environment): Promise<Program | string> {
  const folders = (PATH ?? '').split(delimiter).filter(isAbsolute);
  const places = [...installedNames.flatMap((name) => folders.map((folder) => join(folder, name))), ...installedPlaces];
  const path = places.find(existsSync);
  if (path) return { what: 'an installed browser', path };
  return `an installed browser: none of ${installedNames.join(', ')} is on the path, and none in /Applications`;
}

async function shipped(): Promise<Program | string> {
  const what = 'the browser of the npm package @sparticuz/chromium';
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return `${what}: it is for linux x64, this is ${process.platform} ${process.arch}`;
  const root = join(dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium'))), '..');
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  const folder = join(cacheDirectory(), `chromium-${version}`);
  if (!existsSync(folder))
    await underLock(`${folder}.lock`, async () => {
      if (!existsSync(folder)) await unpack(join(root, 'bin'), folder);
    });
  const libraries = [join(folder, 'lib'), process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter);
  const env = { LD_LIBRARY_PATH: libraries, FONTCONFIG_FILE: join(folder, 'fonts.conf') };
  return { what, path: join(folder, 'chromium'), env };
}

/** Writes into a directory beside it, then renames it. So the directory is complete whenever it exists, even if this process is killed. */
async function unpack(bin: string, folder: string): Promise<void> {
  const partial = `${folder}.${randomUUID()}`;
  mkdirSync(partial, { recursive: true });
  try {
    for (const archive of ['al2023.tar.br', 'fonts.tar.br', 'swiftshader.tar.br'])
      await untar(join(bin, archive), partial);
    writeFileSync(join(partial, 'fonts.conf'), fontSettings(folder));
    await decompress(join(bin, 'chromium.br'), join(partial, 'chromium'));
    chmodSync(join(partial, 'chromium'), 0o755);
    renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

async function untar(archive: string, into: string): Promise<void> {
  const tar = join(into, 'archive.tar');
  await decompress(archive, tar);
  await promisify(execFile)('tar', ['-xf', tar, '-C', into]);
  rmSync(tar);
}

const decompress = (from: string, to: string): Promise<void> =>
  pipeline(createReadStream(from), createBrotliDecompress({ chunkSize: 2 ** 20 }), createWriteStream(to));

/** The shipped font comes first, so that pictures are alike on every machine. The machine's own fonts are for characters that it lacks. */
const fontSettings = (folder: string): string => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>${folder}/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${folder}/fonts-cache</cachedir>
  <alias><family>sans-serif</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family><family>Liberation Mono</family></prefer></alias>
</fontconfig>
`;

async function launch({ what, path, env }: Program): Promise<Browser> {
  const start = (chromiumSandbox: boolean) =>
    chromium.launch({
      executablePath: path,
      chromiumSandbox,
      // The same pixels on every machine.
      args: ['--font-render-hinting=none', '--force-color-profile=srgb'],
      env: { ...process.env, ...env },
    });
  try {
    // Chromium refuses root with its sandbox.
    if (process.getuid?.() === 0) return await start(false);
    // Containers and some distributions do not allow the sandbox for an ordinary user. The pages that are opened here are our own.
    return await start(true).catch((error) => {
      if (/sandbox/i.test(String(error))) return start(false);
      throw error;
    });
  } catch (error) {
    throw new Error(`${what}: ${path}: ${firstLines(error)}`);
  }
}

const firstLines = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n').slice(0, 12).join('\n  ');
