import { createNativeAttempt } from '../../router/providers/attempt.ts';
import { sendOnce } from '../fallback/attempts.ts';
import { callTo } from '../providers/call-to.ts';

/** Asks the address that is given as an argument once, and writes what came of it. A process of its own: it reads NODE_EXTRA_CA_CERTS at start. */
const attempt = sendOnce(createNativeAttempt({ env: { TEST_KEY: 'key' } }));
const timeouts = { connectMs: 5_000, firstByteMs: 5_000, idleMs: 5_000, totalMs: 10_000 };
const outcome = await attempt(callTo(process.argv[2]!), timeouts);
process.stdout.write(outcome.kind === 'reply' ? 'answer' : `${outcome.failure} ${outcome.code}`);
