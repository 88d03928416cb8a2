import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { deserialize } from 'node:v8';

/**
 * Run as a process of its own: does one piece of work, and is killed by SIGKILL just before its n-th call that makes, moves or removes
 * a name on disk.
 * `node --import tsx killed-child.ts <work> <place> <n> [argument]`. Ends with 0 if the work makes fewer calls.
 */
const [work = '', place = '', killAt = '0', argument = ''] = process.argv.slice(2);

const WORK: Readonly<Record<string, () => Promise<() => unknown>>> = {
  async revoke() {
    const { revokeKey } = await import('../../router/access/keys-file.ts');
    return () => revokeKey(place, argument, new Date());
  },
  async artifact() {
    const { writeArtifact } = await import('../../router/artifact/artifact-files.ts');
    const draft = deserialize(fs.readFileSync(argument));
    return () => writeArtifact(place, draft, { replace: true });
  },
  async promote() {
    const { promote } = await import('../../router/artifact/store.ts');
    return () => promote(place, argument, new Date());
  },
  async cases() {
    const { writeCases } = await import('../../evals/cases/canonical-cases.ts');
    const row = (id: number) => ({ id: String(id), prompt: 'new', outcomes: { small: { quality: 1 } } });
    return () => writeCases(place, [row(1), row(2)]);
  },
};

const start = await WORK[work]!();
let calls = 0;
for (const name of ['openSync', 'renameSync', 'rmSync', 'mkdirSync'] as const) {
  const call = fs[name] as (...args: unknown[]) => unknown;
  Object.assign(fs, {
    [name](...args: unknown[]) {
      if (args[1] !== 'r') calls += 1;
      if (calls === Number(killAt)) process.kill(process.pid, 'SIGKILL');
      return call(...args);
    },
  });
}
syncBuiltinESMExports();
await start();
