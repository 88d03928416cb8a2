import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';

/**
 * The rooms from the bottom up: a file may import its own room and the rooms above it in this list, never one below. A folder is a room with
 * one door, its `index.ts`; a file that stands alone is a room of its own.
 */
const ROOMS = [
  'router/errors.ts',
  'router/types.ts',
  'router/package.ts',
  'router/abort-signal.ts',
  'router/content-encoding.ts',
  'router/memory-budget.ts',
  'router/turns.ts',
  'router/result-within.ts',
  'router/small-arrays.ts',
  'router/yaml-file.ts',
  'router/markup.ts',
  'router/loopback-host.ts',
  'router/nearest-name.ts',
  'router/provider-key.ts',
  'router/unknown-field.ts',
  'router/profile-choice.ts',
  'router/feedback-kinds.ts',
  'router/request-tags.ts',
  'router/rising-id.ts',
  'router/worker-thread.ts',
  'router/json',
  'router/client-metadata.ts',
  'router/grading',
  'router/files',
  'router/redaction',
  'router/state',
  'router/statistics',
  'router/onnx',
  'router/catalog',
  'router/latency',
  'router/prompt',
  'router/encoders',
  'router/cascade',
  'router/artifact',
  'router/classifier',
  'router/tasks',
  'router/policy',
  'router/monitoring',
  'router/verdict-report',
  'router/rules',
  'router/router.ts',
  'router/train',
  'router/targets',
  'router/sdk-terms',
  'router/responses-dialect',
  'router/google-dialect',
  'router/dialects',
  'router/passthrough',
  'router/exchange',
  'router/native-replies',
  'router/mapped-calls',
  'router/providers',
  'router/fallback',
  'router/response-cache',
  'router/access',
  'router/experiments',
  'router/threads',
  'router/people',
  'router/sessions',
  'router/records',
  'router/experiment-results',
  'router/telemetry',
  'router/gateway',
  'router/batches',
  'router/config',
  'router/artifact-views.ts',
  'router/router-of-artifacts.ts',
  'router/route-options.ts',
  'router/configured-tasks.ts',
  'router/configured-rules.ts',
  'router/decision-of-scores.ts',
  'router/artifact-router.ts',
  'router/create-router.ts',
  'router/serving.ts',
  'router/create-gateway.ts',
  'router/reload-history.ts',
  'router/reload.ts',
  'router/dashboard',
  'router/openapi',
  'router/http',
  'router/server',
  'router/serve.ts',
  'router/index.ts',
  'evals/format.ts',
  'evals/case-files',
  'evals/cases',
  'evals/threshold',
  'evals/decisions',
  'evals/tasks',
  'evals/gate',
  'evals/labelling',
  'evals/review',
  'evals/report',
  'evals/plan',
  'evals/design',
  'evals/lifecycle',
  'evals/loop',
  'evals/index.ts',
  'evals/vitest-matcher.ts',
  'scripts',
] as const;

/** The one room that may import a package; scripts/ have peers to measure against. */
const PACKAGE_ROOMS: Readonly<Record<string, string>> = {
  express: 'router/server',
  'onnxruntime-node': 'router/onnx',
  '@xenova/transformers': 'router/encoders',
  libsql: 'router/state',
  kysely: 'router/state',
  pg: 'router/state',
  ioredis: 'router/state',
  bullmq: 'router/state',
  'libphonenumber-js/min': 'router/redaction',
  ibantools: 'router/redaction',
  'lru-cache': 'router/response-cache',
  'franc-min': 'router/rules',
  'openid-client': 'router/dashboard',
};

/** Rooms that one room must never load, although they are above it. */
const FORBIDDEN: readonly { readonly from: RegExp; readonly room: string; readonly why: string }[] = [
  { from: /^router\/(?!train\/)/, room: 'router/train', why: 'what serves never loads training code' },
  { from: /^evals\//, room: 'router/server', why: 'evals/ measures and does not serve' },
];

/** Folders in scripts/ that have a door too. */
const DOORS = [
  ...ROOMS.filter((room) => !room.endsWith('.ts') && room !== 'scripts'),
  'scripts/fake-provider',
  'scripts/demo',
  'scripts/completion',
  'scripts/importers',
  'scripts/review-page',
  'scripts/site',
];

interface Import {
  readonly file: string;
  readonly line: number;
  /** A file of the checkout, or a package. */
  readonly target: string;
}

const IMPORT = /^(?:import|export)\b[^;'"]*?from '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm;

function readImports(root: string, file: string): Import[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  return [...text.matchAll(IMPORT)].map((match) => {
    const source = match[1] ?? match[2] ?? match[3] ?? '';
    return {
      file,
      line: text.slice(0, match.index).split('\n').length,
      target: source.startsWith('.') ? path.posix.join(path.posix.dirname(file), source) : source,
    };
  });
}

function findRoom(file: string): string | undefined {
  return ROOMS.find((room) => file === room || file.startsWith(`${room}/`));
}

/** The faults of a single import; most have none. */
function* checkImport({ file, line, target }: Import): Iterable<string> {
  const place = `${file}:${line}`;
  const only = PACKAGE_ROOMS[target];
  if (only && !file.startsWith(`${only}/`) && !file.startsWith('scripts/'))
    yield `${place}: only ${only} imports ${target}`;
  if (!target.endsWith('.ts')) return;
  const door = DOORS.find((room) => target.startsWith(`${room}/`) && !file.startsWith(`${room}/`));
  if (door && target !== `${door}/index.ts`)
    yield `${place}: goes past the door of ${door}; import ${door}/index.ts instead of ${target}`;
  if (file.startsWith('scripts/') && !target.startsWith('scripts/')) return;
  const [from, to] = [findRoom(file), findRoom(target)];
  if (from === undefined) yield `${file}: belongs to no room; add it to ROOMS in scripts/check-structure.ts`;
  else if (to !== undefined && ROOMS.indexOf(to as never) > ROOMS.indexOf(from as never)) {
    yield `${place}: ${from} is below ${to} and may not import it`;
  }
  for (const rule of FORBIDDEN)
    if (rule.room === to && rule.from.test(file)) yield `${place}: imports ${to}; ${rule.why}`;
}

/** Every set of files that import one another in a circle (strongly connected components, Tarjan 1972). */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  function visit(file: string): void {
    order.set(file, order.size);
    lowest.set(file, order.size - 1);
    stack.push(file);
    for (const target of graph.get(file) ?? []) {
      if (!order.has(target)) visit(target);
      if (stack.includes(target)) lowest.set(file, Math.min(lowest.get(file) ?? 0, lowest.get(target) ?? 0));
    }
    if (lowest.get(file) !== order.get(file)) return;
    const component = stack.splice(stack.indexOf(file));
    if (component.length > 1 || graph.get(file)?.includes(file)) found.push(component);
  }
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return found;
}

/** Programs in examples/ that import more than packages: a user copies one folder. */
function exampleFaults(root: string): string[] {
  if (!existsSync(path.join(root, 'examples'))) return [];
  return readdirSync(path.join(root, 'examples'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.[mc]?[jt]s$/.test(file))
    .flatMap((file) => readImports(root, `examples/${file}`))
    .filter(({ target }) => /^(?:router|evals|scripts|test|examples)\//.test(target))
    .map(({ file, line, target }) => `${file}:${line}: imports ${target}; an example imports packages alone`);
}

/** What is wrong with the structure of a checkout, one sentence a fault. */
export function structureFaults(root: string): string[] {
  const files = ['router', 'evals', 'scripts']
    .filter((folder) => existsSync(path.join(root, folder)))
    .flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' }).map(
        (file) => `${folder}/${file}`,
      ),
    )
    .filter((file) => file.endsWith('.ts'))
    .toSorted();
  const imports = files.flatMap((file) => readImports(root, file));
  const graph = new Map(
    files.map((file) => [
      file,
      imports
        .filter((one) => one.file === file && existsSync(path.join(root, one.target)))
        .map(({ target }) => target),
    ]),
  );
  return [
    ...imports.flatMap((one) => [...checkImport(one)]),
    ...exampleFaults(root),
    ...circles(graph).map((files) => `import one another in a circle: ${files.toSorted().join(', ')}`),
  ];
}

if (import.meta.filename === process.argv[1]) {
  const { values } = parseArgs({ options: { root: { type: 'string', default: '.' } } });
  const faults = structureFaults(values.root);
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) {
    console.error(
      `${faults.length} faults in the structure of the source. docs/ARCHITECTURE.md has the rules.`,
    );
    process.exitCode = 1;
  }
}
