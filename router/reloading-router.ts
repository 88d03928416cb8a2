import { closedError, PlimsollError } from './errors.ts';
import type { Reload, Router } from './router.ts';
import { routerGenerations } from './router-generations.ts';

/** A router that can be exchanged while it serves: everything that is asked of it goes to the one that is current. */
export interface ReloadingRouter extends Router {
  /**
   * Opens another router and puts it in the place of the current one. Never rejects: where `open` fails, the current one
   * serves on and the answer says why. Reloads that come together are done one after the other.
   */
  reload(open?: () => Promise<Router>): Promise<Reload>;
}

/**
 * Opens the first router, and further ones at each reload. No request is dropped: it ends on the router that it began on.
 * @param onReload told of each reload, and given the error where it failed.
 * @throws what `open` throws, for the first router.
 */
export async function reloadingRouter(
  open: () => Promise<Router>,
  onReload: (reload: Reload, error?: unknown) => void = () => {},
): Promise<ReloadingRouter> {
  const generations = routerGenerations(await open());
  let lastReload: Reload | null = null;
  const reloads = { ok: 0, failed: 0 };
  let queue: Promise<unknown> = Promise.resolve();
  let closed: Promise<void> | undefined;

  async function replaced(openNext: () => Promise<Router>): Promise<Reload> {
    const at = new Date().toISOString();
    if (closed) return { at, ok: false, message: 'The router is closed: nothing is opened any more.' };
    const error = await openNext().then(generations.replace, (failure: unknown) => failure ?? 'unknown');
    lastReload =
      error === undefined
        ? { at, ok: true, message: `serves ${generations.current().artifact.name}` }
        : { at, ok: false, message: messageOf(error) };
    reloads[lastReload.ok ? 'ok' : 'failed']++;
    onReload(lastReload, error);
    return lastReload;
  }

  /** From the call of `close` on nothing is decided, though a reload that came before may still be opening a router. */
  function lent<T>(work: (router: Router) => Promise<T>): Promise<T> {
    return closed ? Promise.reject(closedError()) : generations.lent(work);
  }

  return {
    get artifact() {
      return generations.current().artifact;
    },
    get ladder() {
      return generations.current().ladder;
    },
    get stale() {
      return generations.current().stale;
    },
    get profiles() {
      return generations.current().profiles;
    },
    get policies() {
      return generations.current().policies;
    },
    get defaultPolicy() {
      return generations.current().defaultPolicy;
    },
    standing: () => generations.current().standing(),
    verdict: (policy) => generations.current().verdict(policy),
    check: (options) => generations.current().check(options),
    route: (input, options) => lent((router) => router.route(input, options)),
    explain: (input, options) => lent((router) => router.explain(input, options)),
    checkGolden: (index) => generations.lent((router) => router.checkGolden(index)),
    health: () => ({ ...generations.counts(), lastReload, reloads: { ...reloads } }),
    reload(openNext = open) {
      const done = queue.then(() => replaced(openNext));
      queue = done;
      return done;
    },
    close() {
      closed ??= queue.then(generations.close);
      return closed;
    },
  };
}

/** Of an error that is not ours only the name: its message may quote what it read. */
function messageOf(error: unknown): string {
  if (error instanceof PlimsollError) return error.message;
  return error instanceof Error ? error.name : 'unknown error';
}
