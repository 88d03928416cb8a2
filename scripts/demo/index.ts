/** An hour of made-up traffic through a real server and fake providers, in a folder that is gone afterwards. */
export { type DemoOptions, runDemo } from './run-demo.ts';
export type { DemoSummary } from './summary.ts';
