import { closeSync, openSync, type Stats, unwatchFile, watchFile } from 'node:fs';
import { isatty } from 'node:tty';
import { artifactMark } from './artifact/index.ts';
import type { RouterParts } from './artifact-router.ts';
import { artifactFolders } from './artifact-views.ts';
import type { Config } from './config/index.ts';
import { createRouter } from './create-router.ts';
import { closedError, PlimsollError, safeError } from './errors.ts';
import { type PastReload, type ReloadHistory, reloadHistory } from './reload-history.ts';
import type { Reload, Router, RouterHealth } from './router.ts';
import type { Logger } from './telemetry/index.ts';

export interface HotReload extends Pick<ReloadHistory, 'past'> {
  readonly router: ReloadingRouter;
  /** Reads the configuration and opens the artifact again. Never rejects: if either fails, nothing changes. */
  reload(): Promise<Reload>;
  /** Ends the watches over the artifact and the configuration file. */
  stop(): void;
}

export interface HotReloadOptions extends RouterParts {
  /** By default the configuration stays as it is. */
  readonly readConfig?: () => Config;
  /** When this file is written, everything is reloaded. */
  readonly configFile?: string | undefined;
  readonly report: ReloadReport;
  /** Called with each router before it serves; may refuse it by throwing, or by rejecting. */
  readonly onOpened?: ((config: Config, router: Router) => void | Promise<void>) | undefined;
}

/** Is notified of the reloads of a router. */
export interface ReloadReport {
  reloaded(router: Router): void;
  failed(error: unknown): void;
  /** These fields of the configuration file changed, and stay as they were at start. */
  needsRestart(fields: readonly string[]): void;
}

/**
 * What only a start can set (the socket and its limits, the log, the timer, what requests are kept in and counted by), and its name in the
 * configuration file.
 */
const FIXED: readonly (readonly [field: string, value: (config: Config) => unknown])[] = [
  ['server', ({ server }) => server],
  ['gateway', ({ gateway }) => gateway],
  ['dashboard', ({ dashboard }) => dashboard],
  ['oidc', ({ oidc }) => oidc],
  ['access', ({ access }) => access],
  ['state', ({ state }) => state],
  ['redis', ({ redis }) => redis],
  ['instances', ({ instances }) => instances],
  ['budgets', ({ budgets }) => budgets],
  ['sessions', ({ sessions }) => sessions],
  ['threads', ({ threads }) => threads],
  ['decision_log', ({ decisionLog }) => decisionLog],
  ['capture', ({ capture }) => capture],
  ['feedback', ({ feedback }) => feedback],
  ['batches', ({ batches }) => batches],
  ['upstream.breaker', ({ upstream }) => upstream.breaker],
  ['upstream.ca_file', ({ upstream }) => upstream.caFile],
  ['watch.webhook_url_env', ({ watch }) => watch?.webhookUrlEnv],
  ['log_level', ({ logLevel }) => logLevel],
  ['reload_interval_ms', ({ reloadIntervalMs }) => reloadIntervalMs],
];

/**
 * Opens the router of a configuration, and another one each time that its artifact or the configuration file changes.
 * @throws PlimsollError as `createRouter` does, for the first router
 */
export async function hotReload(atStart: Config, options: HotReloadOptions): Promise<HotReload> {
  const { readConfig = () => atStart, configFile, report, onOpened } = options;
  const intervalMs = atStart.reloadIntervalMs;
  let config = atStart;
  let seen: string | undefined;
  let tried: Pick<PastReload, 'before' | 'after' | 'needsRestart'>;

  async function open(wanted: Config, needsRestart: readonly string[] = []): Promise<Router> {
    tried = { before: config, after: wanted, needsRestart };
    const mark = await marksOf(artifactFolders(wanted));
    if (String(artifactFolders(wanted)) === String(artifactFolders(config))) seen = mark; // even if opening fails: it is tried once
    const opened = await createRouter(wanted, options);
    try {
      await onOpened?.(wanted, opened);
    } catch (error) {
      await opened.close();
      throw error;
    }
    config = wanted;
    seen = mark;
    return opened;
  }

  const router = await reloadingRouter(
    () => open(config),
    (reload, error) => {
      history.add(reload, tried);
      return reload.ok ? report.reloaded(router) : report.failed(error);
    },
  );
  const history = reloadHistory(router);

  async function openReread(): Promise<Router> {
    tried = { before: config, after: undefined, needsRestart: [] };
    const next = readConfig();
    const changed = FIXED.filter(([, of]) => JSON.stringify(of(next)) !== JSON.stringify(of(atStart))).map(
      ([field]) => field,
    );
    if (changed.length > 0) report.needsRestart(changed);
    return open(next, changed);
  }

  const reload = () => router.reload(openReread);
  const hot = { router, reload, past: history.past };
  if (intervalMs === 0) return { ...hot, stop() {} };
  const stops = [
    watchArtifacts({
      folders: () => artifactFolders(config),
      seen: () => seen,
      intervalMs,
      onChange: () => router.reload(),
    }),
    ...(configFile === undefined ? [] : [watchConfigFile(configFile, intervalMs, () => void reload())]),
  ];
  return {
    ...hot,
    stop() {
      for (const stop of stops) stop();
    },
  };
}

/** Undefined if one of the artifacts is not there: a folder that is being replaced has no mark yet. */
async function marksOf(folders: readonly string[]): Promise<string | undefined> {
  const marks = await Promise.all(folders.map(artifactMark));
  return marks.includes(undefined) ? undefined : marks.join('\n');
}

/** Logs reloads. @param announce logs what serves from now on */
export function reloadReport(
  logger: Logger,
  announce: (logger: Logger, router: Router) => void,
): ReloadReport {
  return {
    reloaded: (router) => announce(logger, router),
    failed: (error) => logger.error(safeError(error), 'not reloaded: what served before serves on'),
    needsRestart: (fields) =>
      logger.warn(
        `${fields.join(', ')} changed in the configuration: this needs a restart, the rest is reloaded`,
      ),
  };
}

/** A router that can be replaced while it serves: every call goes to the current one. */
export interface ReloadingRouter extends Router {
  /**
   * Opens another router and replaces the current one. Never rejects: if `open` fails, the current one serves on and the result has the
   * reason. Concurrent reloads run one after the other.
   */
  reload(open?: () => Promise<Router>): Promise<Reload>;
}

/**
 * Opens the first router, and another one at each reload. No request is dropped: it ends on the router that it began on.
 * @param onReload called after each reload, with the error if it failed
 * @throws what `open` throws, for the first router
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

  /** After `close` was called nothing is decided, even if an earlier reload is still opening a router. */
  function withCurrent<T>(work: (router: Router) => Promise<T>): Promise<T> {
    return closed ? Promise.reject(closedError()) : generations.withCurrent(work);
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
    get rules() {
      return generations.current().rules;
    },
    ruled: (traits, options) => generations.current().ruled(traits, options),
    competingTask: (input, options) => generations.current().competingTask(input, options),
    canJudge: (rung, replyMayLack) => generations.current().canJudge(rung, replyMayLack),
    judgeUses: (rung, signal) => generations.current().judgeUses(rung, signal),
    get judgeGaps() {
      return generations.current().judgeGaps;
    },
    get defaultPolicy() {
      return generations.current().defaultPolicy;
    },
    get watch() {
      return generations.current().watch;
    },
    get artifacts() {
      return generations.current().artifacts;
    },
    standing: () => generations.current().standing(),
    verdict: (policy) => generations.current().verdict(policy),
    check: (options) => generations.current().check(options),
    route: (input, options) => withCurrent((router) => router.route(input, options)),
    routeForCheck: (input, replyMayLack, options) =>
      withCurrent((router) => router.routeForCheck(input, replyMayLack, options)),
    explain: (input, options) => withCurrent((router) => router.explain(input, options)),
    decideAgain: (scores, options, judgeable) =>
      generations.current().decideAgain(scores, options, judgeable),
    checkGolden: (index) => generations.withCurrent((router) => router.checkGolden(index)),
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

/** Only the name of a foreign error: its message may quote what it read. */
function messageOf(error: unknown): string {
  if (error instanceof PlimsollError) return error.message;
  return error instanceof Error ? error.name : 'unknown error';
}

type Counts = Pick<RouterHealth, 'decisions' | 'classifierFailures' | 'lastFailure'>;

interface Generation {
  readonly router: Router;
  atWork: number;
  replaced: boolean;
}

/** The routers that serve one after the other: the current one, and replaced ones that still have requests at work. */
function routerGenerations(first: Router) {
  let current: Generation = { router: first, atWork: 0, replaced: false };
  const leaving = new Set<Generation>();
  let gone: Counts = { decisions: 0, classifierFailures: 0, lastFailure: null };

  function closeIfIdle(generation: Generation): void {
    if (!generation.replaced || generation.atWork > 0) return;
    leaving.delete(generation);
    gone = sum(gone, generation.router.health());
    generation.router.close().catch(() => {}); // it serves nobody any more
  }

  return {
    current: () => current.router,
    /** The router stays open until the work is done, even if it is replaced meanwhile. */
    async withCurrent<T>(work: (router: Router) => Promise<T>): Promise<T> {
      const generation = current;
      generation.atWork++;
      try {
        return await work(generation.router);
      } finally {
        generation.atWork--;
        closeIfIdle(generation);
      }
    },
    replace(router: Router): void {
      const before = current;
      current = { router, atWork: 0, replaced: false };
      before.replaced = true;
      leaving.add(before);
      closeIfIdle(before);
    },
    /** Counts over all routers since the start. */
    counts: () => [...leaving, current].map(({ router }) => router.health()).reduce<Counts>(sum, gone),
    async close(): Promise<void> {
      await Promise.all([...leaving, current].map(({ router }) => router.close()));
    },
  };
}

function sum(a: Counts, b: Counts): Counts {
  return {
    decisions: a.decisions + b.decisions,
    classifierFailures: a.classifierFailures + b.classifierFailures,
    lastFailure: b.lastFailure ?? a.lastFailure,
  };
}

export interface ArtifactWatch {
  /** Read at each look: a new configuration may name other folders. */
  readonly folders: () => readonly string[];
  /** The mark of what was opened (or tried) last, taken before it was opened: a change during the opening is another change. */
  readonly seen: () => string | undefined;
  readonly intervalMs: number;
  /** Must open what is there, so that `seen` returns its mark; called once for each change, even if opening fails. */
  readonly onChange: () => Promise<unknown>;
}

/** Checks every `intervalMs` whether an artifact changed, without keeping the process alive. @returns what ends it */
export function watchArtifacts({ folders, seen, intervalMs, onChange }: ArtifactWatch): () => void {
  let ended = false;
  let timer: NodeJS.Timeout;

  async function look(): Promise<void> {
    const places = folders();
    const mark = await marksOf(places);
    const settled = mark === (await marksOf(places)); // a folder that is being replaced file by file has no mark yet
    if (ended) return;
    if (settled && mark !== undefined && mark !== seen()) await onChange();
    wait();
  }

  function wait(): void {
    if (!ended) timer = setTimeout(look, intervalMs).unref();
  }

  wait();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}

/**
 * Calls `onChange` when the configuration file was written, without keeping the process alive. Polled, as artifacts are. A file that
 * went away is no new configuration.
 */
function watchConfigFile(file: string, intervalMs: number, onChange: () => void): () => void {
  const listener = (now: Stats, before: Stats) => {
    const exists = now.mtimeMs !== 0;
    if (exists && (now.mtimeMs !== before.mtimeMs || now.size !== before.size)) onChange();
  };
  const watcher = watchFile(file, { interval: intervalMs, persistent: false }, listener);
  watcher.unref();
  return () => unwatchFile(file, listener);
}

/**
 * SIGHUP reloads until the process ends: without a listener it would end the process, also while it drains. If it comes because the
 * terminal was closed, it ends the process as it does other programs of that terminal.
 */
export function reloadOnHangUp(reload: () => Promise<unknown>, logger: Logger): void {
  const onTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
  const onHangUp = () => {
    if (onTerminal && !hasTerminal()) {
      process.off('SIGHUP', onHangUp);
      process.kill(process.pid, 'SIGHUP'); // without a listener: the end
      return;
    }
    logger.info('SIGHUP: reading the configuration and the artifact again');
    void reload();
  };
  process.on('SIGHUP', onHangUp);
}

/** A process whose terminal is gone can no longer open it. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
