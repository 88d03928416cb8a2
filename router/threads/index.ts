/** Responses and conversations that are kept for their clients: a request goes on from an earlier one by its id. */
export type { Item } from './items.ts';
export {
  createThreads,
  type ItemPage,
  type PageRequest,
  type ResolvedRequest,
  type Threads,
} from './threads.ts';
