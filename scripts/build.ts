import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { MINILM_WEIGHTS, minilmFolder, readMinilmFile } from '../router/encoders/index.ts';
import { PACKAGE_FOLDER } from '../router/package.ts';

/** Makes dist/, what a user of the package runs: compiled sources and the encoder's weights, which need no further package. */
const dist = path.join(PACKAGE_FOLDER, 'dist');
rmSync(dist, { recursive: true, force: true });
execFileSync('npx', ['tsc', '-p', 'tsconfig.build.json'], { cwd: PACKAGE_FOLDER, stdio: 'inherit' });
chmodSync(path.join(dist, 'scripts/cli.js'), 0o755);

for (const part of ['model', 'tokenizer'] as const) {
  readMinilmFile(part); // refuses weights that are not the pinned ones
  const file = MINILM_WEIGHTS[part].path;
  const target = path.join(dist, 'weights/all-MiniLM-L6-v2', file);
  mkdirSync(path.dirname(target), { recursive: true });
  cpSync(path.join(minilmFolder(), file), target);
}
process.stdout.write('dist/ is built\n');
