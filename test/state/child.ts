import { openState } from '../../router/state/index.ts';

/*
 * A process that writes to a state until it is killed, and says on stdout what it was told is on disk.
 *     child.ts settle <kind> <url> <prefix>
 */
const [, , what, kind, url, prefix] = process.argv;
const state = await openState({ kind: kind as 'sqlite' | 'postgres', url, migrate: 'auto' });
process.stdout.write('ready\n');
for (let i = 0; what === 'settle'; i++) {
  const ids = Array.from({ length: 5 }, (_, j) => `${prefix}-${i}-${j}`);
  const entries = ids.map((id) => ({
    id,
    keyId: 'killed',
    timeMs: Date.now(),
    model: 'm',
    nanoUsd: 1,
    inputTokens: 1,
    outputTokens: 1,
  }));
  await Promise.all(entries.map((entry) => state.ledger.settle([entry])));
  process.stdout.write(`${ids.join('\n')}\n`);
  await state.log.append(
    'killed',
    ids.map((id) => ({ id, timeMs: i, body: '{}' })),
  );
}
await state.close();
