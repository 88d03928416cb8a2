import { PlimsollError, type SafeError, safeError } from '../errors.ts';
import type { WatchAlarm } from './watch.ts';

const TIMEOUT_MS = 10_000;
const TRIES = 3;
const BETWEEN_MS = 5_000;

/**
 * Posts an alarm as `{"text": …, "kind": …, "artifact": …}`, which Slack's incoming webhooks take. Tried three times, never thrown.
 * @param variable the environment variable that holds the address, which is a secret
 * @throws PlimsollError `invalid-config` if the variable holds no http or https address
 */
export function alarmWebhook(
  variable: string,
  onFailure: (error: SafeError) => void,
  betweenMs = BETWEEN_MS,
): (alarm: WatchAlarm) => Promise<void> {
  const address = process.env[variable] ?? '';
  if (!/^https?:\/\//.test(address) || !URL.canParse(address)) {
    throw new PlimsollError(
      'invalid-config',
      `${variable} must hold the http or https address that watch.webhook_url_env names, and ${address === '' ? 'is not set' : 'holds something else'}.`,
      { place: { field: 'watch.webhook_url_env' } },
    );
  }
  return async ({ kind, artifact, message }) => {
    const body = JSON.stringify({ text: `Plimsoll: ${message}`, kind, artifact });
    for (let tried = 1; tried <= TRIES; tried++) {
      const failure = await post(address, body);
      if (failure === undefined) return;
      if (tried === TRIES) return onFailure(failure);
      await new Promise((resolve) => setTimeout(resolve, betweenMs).unref());
    }
  };
}

/** @returns why it did not arrive, without the address */
async function post(address: string, body: string): Promise<SafeError | undefined> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(address, { method: 'POST', headers, body, signal, redirect: 'error' });
    await response.body?.cancel();
    if (response.ok) return undefined;
    return safeError(new PlimsollError('io', `The webhook replied with status ${response.status}.`));
  } catch {
    return safeError(new PlimsollError('io', 'The webhook cannot be reached.'));
  }
}
