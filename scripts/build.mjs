import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { bypassDoors } from './bypass-doors.mjs';

const ROOT = path.dirname(import.meta.dirname);
const DIST = path.join(ROOT, 'dist');
/** Holds the hash of the sources that dist/ was built from. */
const STAMP_FILE = 'sources.sha256';
/** In a folder named `browser`. */
const BROWSER_FILE = /\bbrowser[/\\][^/\\]+\.(?:css|js|svg)$/;

/** Builds dist/ unless it was built from these very sources. The build says so on stderr. */
export async function ensureBuilt() {
  const stamp = path.join(DIST, STAMP_FILE);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hashOfSources()) return;
  process.stderr.write('Building dist/ from the sources, once after each change.\n');
  await build();
}

/**
 * Makes dist/, what a user of the package runs: compiled sources, and the encoder's weights, which need no further package. It is built in
 * another folder and takes its place at the end, so that no half of it is ever run.
 */
export async function build() {
  const hash = hashOfSources(); // before the compiler reads them: a change from now on makes the build stale
  const draft = path.join(ROOT, `dist-${process.pid}`);
  try {
    const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
    const args = [tsc, '-p', 'tsconfig.build.json', '--outDir', draft];
    execFileSync(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 2, 2] });
    chmodSync(path.join(draft, 'scripts/cli.js'), 0o755);
    bypassDoors(draft);
    copyBrowserFiles(draft);
    await copyWeights(draft);
    writeFileSync(path.join(draft, STAMP_FILE), hash);
    rmSync(DIST, { recursive: true, force: true });
    renameSync(draft, DIST);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** What browsers load of a page is sent as it is. */
function copyBrowserFiles(draft) {
  for (const file of sources().filter((one) => BROWSER_FILE.test(one))) {
    mkdirSync(path.join(draft, path.dirname(file)), { recursive: true });
    cpSync(path.join(ROOT, file), path.join(draft, file));
  }
}

async function copyWeights(draft) {
  const { MINILM_WEIGHTS, minilmFolder, readMinilmFile } = await import(
    path.join(draft, 'router/encoders/index.js')
  );
  const source = minilmFolder(); // the copy itself, once it is there
  for (const part of ['model', 'tokenizer']) readMinilmFile(part); // refuses weights that are not the pinned ones
  for (const { path: file } of [MINILM_WEIGHTS.model, MINILM_WEIGHTS.tokenizer]) {
    const target = path.join(draft, 'weights/all-MiniLM-L6-v2', file);
    mkdirSync(path.dirname(target), { recursive: true });
    cpSync(path.join(source, file), target);
  }
}

/** Everything that dist/ is made of, from the root of the checkout. */
function sources() {
  return ['router', 'evals', 'scripts'].flatMap((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true })
      .filter((file) => (/\.m?ts$|\.mjs$/.test(file) || BROWSER_FILE.test(file)) && !file.startsWith('bench'))
      .map((file) => path.join(folder, file)),
  );
}

/** Names and contents. */
function hashOfSources() {
  const hash = createHash('sha256');
  for (const file of [...sources().sort(), 'package.json', 'tsconfig.json', 'tsconfig.build.json']) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(path.join(ROOT, file)))
      .update('\0');
  }
  return hash.digest('hex');
}

if (process.argv[1] === import.meta.filename) {
  await build();
  process.stdout.write('dist/ is built\n');
}
