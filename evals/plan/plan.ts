import { createCatalog } from '../../router/catalog/index.ts';
import type { Config } from '../../router/config/index.ts';
import { createRouter } from '../../router/create-router.ts';
import type { DecisionRecord } from '../../router/records/index.ts';
import { withEfforts } from '../../router/targets/index.ts';
import { type Plan, PlanTally } from './plan-tally.ts';
import { createReplay } from './replay.ts';
import { type WorkOfPeople, withWork } from './work-of-people.ts';

export interface PlanOptions {
  /** The changed configuration. */
  readonly config: Config;
  /** In the order of their time. */
  readonly records: AsyncIterable<DecisionRecord>;
  /** What people came to on them. Without it nothing is known of what their work took and cost. */
  readonly people?: WorkOfPeople;
  /** Scores of records that name no artifact are taken to be of the one that is configured. Default false. */
  readonly assumeArtifact?: boolean;
  readonly onProgress?: (done: number) => void;
}

const NOBODY: WorkOfPeople = new Map();

/**
 * Decides recorded requests again, under another configuration: which would go to another model, and what that changes. Scores are those on
 * record; nothing is called. Costs and durations of replies that were never made are estimates.
 * @throws PlimsollError `insufficient-data` if nothing can be said about any request; as `createRouter` for the configuration
 */
export async function plan(options: PlanOptions): Promise<Plan> {
  const { config, records, people = NOBODY, assumeArtifact = false, onProgress = () => {} } = options;
  const clock = { nowMs: Date.now() };
  const catalog = withEfforts(createCatalog(config));
  const { watch: _, ...unwatched } = config;
  const router = await createRouter(unwatched as Config, { nowMs: () => clock.nowMs });
  try {
    const replay = createReplay({ router, catalog, clock, assumeArtifact });
    const tally = new PlanTally(config, catalog, router);
    let done = 0;
    for await (const recorded of records) {
      const record = withWork(recorded, people.get(recorded.id));
      const replayed = replay(record);
      tally.add(record, replayed instanceof Promise ? await replayed : replayed);
      if (++done % 1_000 === 0) onProgress(done);
    }
    return tally.result();
  } finally {
    await router.close();
  }
}
