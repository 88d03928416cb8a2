import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type ErrorCode, PlimsollError } from '../../../router/errors.ts';
import type { LabelledSet, Population } from './population.ts';
import type { Results, SettingResult, SimulationResult } from './results.ts';
import { type Repeats, type Setting, settingName } from './settings.ts';
import { runSimulation, simulationsOn } from './simulations.ts';

/** Scores sets, each once, and runs settings; the tests have one without processes. */
export interface Runner {
  score(set: LabelledSet): Promise<Population>;
  run(population: Population, setting: Setting, repeats: Repeats): Promise<SettingResult>;
}

/** A worker's job; it gets the next one after its result. */
export type Job =
  | { readonly kind: 'score'; readonly set: LabelledSet }
  | {
      readonly kind: 'run';
      readonly population: Population;
      readonly setting: Setting;
      readonly repeats: Repeats;
    };

export type JobResult =
  | { readonly kind: 'done'; readonly value: Population | SettingResult }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

interface Measurement {
  readonly sets: readonly LabelledSet[];
  readonly settings: readonly Setting[];
  readonly repeats: Repeats;
  readonly runner: Runner;
  readonly results: Results;
  /** One line for people. */
  readonly say: (line: string) => void;
}

interface Task {
  readonly job: Job;
  resolve(value: Population | SettingResult): void;
  reject(error: Error): void;
}

const WORKER = fileURLToPath(new URL('../children/coverage-worker.ts', import.meta.url));

/** Jobs in other processes, `workers` at a time, in the order in which they were asked for. */
export function startWorkers(workers: number): Runner & { close(): void } {
  const waiting: Task[] = [];
  const idle = Array.from({ length: workers }, startWorker);
  const dispatch = () => {
    while (idle.length > 0 && waiting.length > 0) {
      const worker = idle.pop();
      const task = waiting.shift();
      if (!worker || !task) return;
      worker.work(task.job).then((value) => {
        idle.push(worker);
        task.resolve(value);
        dispatch();
      }, task.reject);
    }
  };
  const all = [...idle];
  const scored = new Map<string, Promise<Population>>();
  const enqueue = (job: Job) =>
    new Promise<Population | SettingResult>((resolve, reject) => {
      waiting.push({ job, resolve, reject });
      dispatch();
    });
  return {
    score(set) {
      const known = scored.get(set.set) ?? (enqueue({ kind: 'score', set }) as Promise<Population>);
      scored.set(set.set, known);
      return known;
    },
    run: (population, setting, repeats) =>
      enqueue({ kind: 'run', population, setting, repeats }) as Promise<SettingResult>,
    close: () => all.forEach((worker) => void worker.stop()),
  };
}

/**
 * Runs the settings that have no result yet, and returns all results in order. A set without open settings is not scored again. The
 * longest settings go first, so that no worker is left with one at the end.
 */
export async function measure(measurement: Measurement): Promise<SettingResult[]> {
  const { sets, settings, repeats, results, say } = measurement;
  const resultOf = (setting: Setting) => {
    const { sha256 } = sets.find(({ set }) => set === setting.set)!;
    return results.find(sha256, setting, repeats);
  };
  const open = settings.filter((setting) => resultOf(setting) === undefined);
  if (open.length < settings.length) say(`${settings.length - open.length} settings are known already`);
  open.sort((a, b) => b.n - a.n);
  let done = 0;
  const added = (result: SettingResult, setting: Setting) => {
    results.add(result);
    say(`${++done} of ${open.length}: ${settingName(setting)}`);
  };
  await Promise.all(sets.map((set) => measureSet(set, open, measurement, added)));
  return settings.map((setting) => resultOf(setting)!);
}

/** Runs the simulations that have no result yet, in this process, and returns all results in order. Each set is scored for them. */
export async function measureSimulations({
  sets,
  repeats,
  runner,
  results,
  say,
}: Omit<Measurement, 'settings'>): Promise<SimulationResult[]> {
  const populations = await Promise.all(sets.map((set) => runner.score(set)));
  return simulationsOn(populations).map((simulation) => {
    const known = results.findSimulation(simulation.name, repeats);
    if (known !== undefined) return known;
    const result = runSimulation(simulation, repeats);
    results.add(result);
    say(simulation.name);
    return result;
  });
}

/** A process rather than a thread, since TypeScript then loads the same way on every version of Node. */
function startWorker() {
  const child = fork(WORKER, {
    execArgv: ['--import', import.meta.resolve('tsx')],
    serialization: 'advanced',
  });
  return {
    work: (job: Job) =>
      new Promise<Population | SettingResult>((resolve, reject) => {
        const ended = () => reject(new PlimsollError('internal', 'A worker ended before its work was done.'));
        child.once('exit', ended);
        child.once('message', (result: JobResult) => {
          child.off('exit', ended);
          if (result.kind === 'done') resolve(result.value);
          else reject(new PlimsollError(result.code, result.message));
        });
        child.send(job);
      }),
    stop: () => child.kill(),
  };
}

async function measureSet(
  set: LabelledSet,
  open: readonly Setting[],
  { runner, repeats }: Measurement,
  added: (result: SettingResult, setting: Setting) => void,
): Promise<void> {
  const own = open.filter((setting) => setting.set === set.set);
  if (own.length === 0) return;
  const population = await runner.score(set);
  await Promise.all(
    own.map(async (setting) => added(await runner.run(population, setting, repeats), setting)),
  );
}
