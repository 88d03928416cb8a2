import { readdirSync } from 'node:fs';
import path from 'node:path';

/** The pages that the navigation shows, by the question that brings somebody to them. `source` is relative to the root of the repository. */
export interface NavigationGroup {
  readonly title: string;
  readonly pages: readonly { readonly title: string; readonly source: string }[];
}

/** The pages that are made from the code, as if they lay there. */
export const API_REFERENCE = 'docs/reference/api.md';
export const CONFIGURATION_REFERENCE = 'docs/reference/configuration.md';

export const NAVIGATION: readonly NavigationGroup[] = [
  {
    title: 'Begin',
    pages: [
      { title: 'What it is', source: 'README.md' },
      { title: 'Quick start', source: 'docs/QUICK-START.md' },
      { title: 'First saving', source: 'docs/FIRST-SAVING.md' },
      { title: 'Walkthrough', source: 'docs/WALKTHROUGH.md' },
      { title: 'Design a router', source: 'docs/DESIGN-A-ROUTER.md' },
      { title: 'Examples', source: 'examples/README.md' },
    ],
  },
  {
    title: 'Route requests',
    pages: [
      { title: 'Gateway', source: 'docs/API.md' },
      { title: 'Configuration', source: 'docs/CONFIGURATION.md' },
      { title: 'Rules', source: 'docs/RULES.md' },
      { title: 'Tasks', source: 'docs/TASKS.md' },
      { title: 'Deployments and quotas', source: 'docs/DEPLOYMENTS.md' },
      { title: 'People as a rung', source: 'docs/PEOPLE.md' },
      { title: 'Batches', source: 'docs/BATCHES.md' },
      { title: 'Clients', source: 'docs/CLIENTS.md' },
    ],
  },
  {
    title: 'Prove it',
    pages: [
      { title: 'Gate in CI', source: 'docs/CI.md' },
      { title: 'Gate any router', source: 'docs/GATE-ANY-ROUTER.md' },
      { title: 'Capture', source: 'docs/CAPTURE.md' },
      { title: 'Labels', source: 'docs/LABELLING.md' },
      { title: 'Plan a change', source: 'docs/PLAN.md' },
      { title: 'Live experiments', source: 'docs/LIVE-EXPERIMENTS.md' },
    ],
  },
  {
    title: 'Run it',
    pages: [
      { title: 'Deploy', source: 'docs/DEPLOY.md' },
      { title: 'Operate', source: 'docs/OPERATE.md' },
      { title: 'State', source: 'docs/STATE.md' },
      { title: 'Dashboard', source: 'docs/DASHBOARD.md' },
      { title: 'Observability', source: 'docs/OBSERVABILITY.md' },
      { title: 'Monitoring', source: 'docs/MONITORING.md' },
    ],
  },
  {
    title: 'Reference',
    pages: [
      { title: 'HTTP API', source: API_REFERENCE },
      { title: 'Configuration fields', source: CONFIGURATION_REFERENCE },
      { title: 'Commands', source: 'docs/CLI.md' },
      { title: 'Library', source: 'docs/LIBRARY.md' },
      { title: 'Metrics of quality', source: 'docs/METRICS.md' },
      { title: 'Glossary', source: 'docs/GLOSSARY.md' },
    ],
  },
  {
    title: 'Trust',
    pages: [
      { title: 'Why it can be trusted', source: 'docs/TRUST.md' },
      { title: 'Comparison', source: 'docs/COMPARISON.md' },
      { title: 'Results', source: 'docs/RESULTS.md' },
      { title: 'Benchmarks', source: 'docs/BENCHMARKS.md' },
      { title: 'Experiments', source: 'docs/EXPERIMENTS.md' },
      { title: 'Architecture', source: 'docs/ARCHITECTURE.md' },
      { title: 'Security', source: 'SECURITY.md' },
      { title: 'Changes', source: 'CHANGELOG.md' },
    ],
  },
];

/** Folders whose Markdown files are pages. */
const FOLDERS = ['docs', 'examples', 'training-data', 'models', 'evals', 'deploy'];

/** Every Markdown file that is a page, relative to the root, in the order of their names. */
export function pageSources(root: string): readonly string[] {
  return [
    ...readdirSync(root).filter((name) => name.endsWith('.md')),
    ...FOLDERS.flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
        .map((name) => path.posix.join(folder, name.replaceAll('\\', '/'))),
    ),
  ].sort();
}

/** The file of the site for a page: `index.html` for a README, the same name else. Pages of `docs/` are at the top. */
export function sitePath(source: string): string {
  const place = source.startsWith('docs/') ? source.slice('docs/'.length) : source;
  return place.replace(/(?:^|(?<=\/))README\.md$/, 'index.md').replace(/\.md$/, '.html');
}

/** The file of the site for something that is no page: it keeps its place in the repository. */
export function copyPath(source: string): string {
  return path.posix.join('repository', source);
}
