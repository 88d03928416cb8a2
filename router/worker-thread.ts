import path from 'node:path';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts a worker thread on a file of ours.
 * @param file without its extension: it is .ts in a checkout and .js where it is compiled, as this very file is
 */
export function startWorkerThread(file: URL, options: WorkerOptions): Worker {
  const extension = path.extname(import.meta.url);
  const entry = new URL(`${file.href}${extension}`);
  if (extension !== '.ts') return new Worker(entry, { ...options, execArgv: [] });
  return new Worker(typeScriptEntry(entry), { ...options, execArgv: [], eval: true });
}

/** Node 20 gives a thread's first file to its own loader, whatever `--import` says; a second import passes through tsx. */
function typeScriptEntry(file: URL): string {
  const tsx = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  return `import(${tsx}).then(({ register }) => { register(); return import(${JSON.stringify(file.href)}); });`;
}
