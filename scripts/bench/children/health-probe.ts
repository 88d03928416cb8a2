import { Pool } from 'undici';

/**
 * Requests /healthz continuously, in a process of its own, so that the sender of large bodies delays nothing here:
 * `health-probe.ts <port>`. Replies to each message with the longest delay since the previous one, in ms.
 */
const EVERY_MS = 5;

const pool = new Pool(`http://127.0.0.1:${process.argv[2]}`, { connections: 1 });
let worstMs = 0;

async function probe(): Promise<void> {
  const startedMs = performance.now();
  const { body } = await pool.request({ method: 'GET', path: '/healthz' });
  await body.dump();
  worstMs = Math.max(worstMs, performance.now() - startedMs);
}

let running: Promise<void> = Promise.resolve();
const timer = setInterval(() => {
  running = running.then(probe).catch(() => process.exit(1)); // the server has ended
}, EVERY_MS);

process.on('message', async () => {
  await running;
  process.send!({ worstMs });
  worstMs = 0;
});
process.on('disconnect', () => {
  clearInterval(timer);
  process.exit();
});
process.send!({ ready: true });
